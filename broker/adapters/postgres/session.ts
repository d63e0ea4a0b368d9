import postgres from "postgres"
import { type DatabaseAddress, isSocket } from "./address.ts"

export type SqlValue = string | number | null
export type Row = Readonly<Record<string, unknown>>

/** What a statement did. `command` is PostgreSQL's tag: a COMMIT of a failed transaction says ROLLBACK. */
export interface Answer<One extends Row> {
  readonly rows: readonly One[]
  readonly command: string
}

/** A statement's text with its parameters `$1`, `$2`. Lists are passed as one JSON text: see `rowsOf`. */
export interface Statement {
  readonly text: string
  readonly values?: readonly SqlValue[]
}

/** The connection ended, or nothing came for too long: whether the last statement took effect is not known. */
export class ConnectionLost extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = "ConnectionLost"
  }
}

const CONNECT_TIMEOUT_SECONDS = 5
/** Longer than every deadline on the server, so that this one is met only when nothing comes back at all. */
const ANSWER_TIMEOUT_MS = 15_000

/**
 * One connection, for one user at a time. It is never connected again: the statements of a transaction that was cut must not
 * go on, outside of it, on the next connection. The driver's pool would do that.
 *
 * Statements that are not awaited travel together. They run in the order of the calls.
 */
export class Session {
  /** Whether statements can be prepared: not when a pooler may give each transaction another server process. */
  readonly isPrepared: boolean
  readonly #sql: postgres.Sql
  readonly #reserved: postgres.ReservedSql
  readonly #lost: Promise<never>
  readonly #lose: (reason: ConnectionLost) => void
  #isOpen = true
  #warnings = 0
  #close: Promise<void> | null = null

  /** Connects to one host. @throws the driver's or the server's error */
  static async open(
    address: DatabaseAddress,
    { host, port }: DatabaseAddress["hosts"][number],
    onNotify?: (channel: string, text: string) => void,
  ): Promise<Session> {
    let lost = (_: ConnectionLost) => {}
    let warned = () => {}
    const sql = postgres({
      ...(isSocket(host) ? { path: `${host}/.s.PGSQL.${port}` } : {}),
      host,
      port,
      database: address.database,
      username: address.user,
      password: address.password.reveal(),
      ssl: address.tls,
      max: 1,
      connect_timeout: CONNECT_TIMEOUT_SECONDS,
      idle_timeout: undefined,
      max_lifetime: null,
      fetch_types: false,
      // Poolers refuse other settings in the first message of a connection.
      connection: { application_name: "daypass" },
      onnotice: ({ severity }) => {
        if (severity === "WARNING") warned()
      },
      onclose: () => lost(new ConnectionLost("the connection was closed")),
      ...(onNotify && { onnotify: onNotify }),
      // Times, and numbers of records: all are exact in a double.
      types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
    })
    try {
      // A pooler invents the process id that it tells its clients. Asked before the connection is reserved, because the driver
      // never hands out a new one without a first query.
      const { 0: row, state } = await sql.unsafe("SELECT pg_backend_pid() AS pid")
      const session = new Session(sql, await sql.reserve(), Number(row?.["pid"]) === state.pid)
      lost = (reason) => session.#lose(reason)
      warned = () => {
        session.#warnings++
      }
      return session
    } catch (cause) {
      await sql.end({ timeout: 0 }).catch(() => {})
      throw cause
    }
  }

  private constructor(sql: postgres.Sql, reserved: postgres.ReservedSql, isPrepared: boolean) {
    this.#sql = sql
    this.#reserved = reserved
    this.isPrepared = isPrepared
    let lose = (_: ConnectionLost) => {}
    this.#lost = new Promise<never>((_, reject) => {
      lose = reject
    })
    this.#lost.catch(() => {})
    this.#lose = (reason) => {
      this.#isOpen = false
      lose(reason)
    }
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /**
   * How many warnings the server has sent. One with a COMMIT says that the commit stopped waiting for its standby: it may be
   * lost with this server.
   */
  get warnings(): number {
    return this.#warnings
  }

  /**
   * Runs a statement.
   *
   * @throws {ConnectionLost} and the server's error, a `PostgresError` with its SQLSTATE in `code`
   */
  run<One extends Row = Row>({ text, values = [] }: Statement): Promise<Answer<One>> {
    // The driver would write to a socket that is gone, and throw outside of every call.
    if (!this.#isOpen) return this.#lost
    const query = this.#reserved.unsafe(text, [...values], { prepare: this.isPrepared && values.length > 0 })
    const answered = query.then(
      (result) => ({ rows: result as unknown as readonly One[], command: result.command }),
      (error) => {
        // The server ends the connection after it. Whoever tries again must not be given this one.
        if (isFatal(error)) void this.close()
        throw error
      },
    )
    answered.catch(() => {})
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const reason = new ConnectionLost("the database did not answer in time")
        this.#lose(reason)
        reject(reason)
        void this.close()
      }, ANSWER_TIMEOUT_MS)
    })
    const outcome = Promise.race([answered, this.#lost, late]).finally(() => clearTimeout(timer))
    // Those that travel together fail together: whoever awaits the first one hears of it.
    outcome.catch(() => {})
    return outcome
  }

  /** Ends the connection at once. What was running has no outcome. */
  close(): Promise<void> {
    this.#close ??= (async () => {
      this.#lose(new ConnectionLost("the connection was ended"))
      await this.#sql.end({ timeout: 0 }).catch(() => {})
    })()
    return this.#close
  }
}

const isFatal = (error: unknown): boolean =>
  error instanceof Error && "severity" in error && (error.severity === "FATAL" || error.severity === "PANIC")

/** A list of rows as one parameter, for `json_to_recordset`: so a statement's text does not depend on how many there are. */
export const rowsOf = (rows: readonly Readonly<Record<string, SqlValue | boolean>>[]): string => JSON.stringify(rows)
