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
const WATCH_EVERY_MS = 1000

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
  /** Rejects the statements that have no answer yet. */
  readonly #unanswered = new Set<(reason: ConnectionLost) => void>()
  readonly #watch: NodeJS.Timeout
  /** Of `performance.now()`: the last answer, or the first statement after a time without any. */
  #heardAt = 0
  #isOpen = true
  #warnings = 0
  #close: Promise<void> | null = null
  #end = () => {}
  /** Resolves when the connection has ended. */
  readonly ended = new Promise<void>((resolve) => {
    this.#end = resolve
  })

  /**
   * Connects to one host.
   *
   * @param heard called with the payload of each notification that comes after a LISTEN
   * @throws the driver's or the server's error
   */
  static async open(
    address: DatabaseAddress,
    { host, port }: DatabaseAddress["hosts"][number],
    heard?: (payload: string) => void,
  ): Promise<Session> {
    // Not in the driver's types. Its own `listen` opens a connection by itself, to any host, and hides that it was lost.
    const listening = heard && { onnotify: (_channel: string, payload: string) => heard(payload) }
    let lost = (_: ConnectionLost) => {}
    let warned = () => {}
    const sql = postgres({
      ...listening,
      ...(isSocket(host) ? { path: `${host}/.s.PGSQL.${port}` } : {}),
      host,
      port,
      database: address.database,
      username: address.user,
      password: address.password.reveal(),
      // Named for addresses, too: for those the driver names no host, and Node then takes a certificate of `localhost`.
      ssl: address.tls && { ...address.tls, host },
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
      // Times, and numbers of records: all are exact in a double.
      types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
    })
    // The driver's own deadline ends with the server's first word.
    const timer = setTimeout(() => void sql.end({ timeout: 0 }), CONNECT_TIMEOUT_SECONDS * 2000)
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
    } finally {
      clearTimeout(timer)
    }
  }

  private constructor(sql: postgres.Sql, reserved: postgres.ReservedSql, isPrepared: boolean) {
    this.#sql = sql
    this.#reserved = reserved
    this.isPrepared = isPrepared
    this.#watch = setInterval(() => this.#endWhenSilent(), WATCH_EVERY_MS)
    this.#watch.unref()
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
    const answered = new Promise<Answer<One>>((resolve, reject) => {
      // The driver would write to a socket that is gone, and throw outside of every call.
      if (!this.#isOpen) return reject(new ConnectionLost("the connection was closed"))
      if (this.#unanswered.size === 0) this.#heardAt = performance.now()
      this.#unanswered.add(reject)
      const heard = () => {
        this.#heardAt = performance.now()
        this.#unanswered.delete(reject)
      }
      this.#reserved.unsafe(text, [...values], { prepare: this.isPrepared && values.length > 0 }).then(
        (result) => {
          heard()
          resolve({ rows: result as unknown as readonly One[], command: result.command })
        },
        (error) => {
          heard()
          reject(error)
          // Whoever tries again must not be given this connection.
          if (isFatal(error)) void this.close()
        },
      )
    })
    // Those that travel together fail together: whoever awaits the first one hears of it.
    answered.catch(() => {})
    return answered
  }

  /**
   * Begins a transaction. It names its isolation, because the database's default may be another one: at SERIALIZABLE, brokers
   * that share a ledger refuse each other's jobs. Functions are looked for in the system's schema only: one that another user
   * of the database made in `public`, with types that fit better, would run with the broker's rights.
   */
  begin(isolation: "READ COMMITTED" | "REPEATABLE READ READ ONLY" = "READ COMMITTED"): Promise<unknown> {
    return this.run({ text: `BEGIN ISOLATION LEVEL ${isolation}; SET LOCAL search_path = pg_catalog` })
  }

  /** Runs a statement that writes, in a transaction of its own: see `begin`. All of it travels together. */
  async runAlone<One extends Row = Row>(statement: Statement): Promise<Answer<One>> {
    void this.begin()
    const answer = this.run<One>(statement)
    const ended = this.run({ text: "COMMIT" })
    await answer
    await ended
    return answer
  }

  /** Ends the connection at once. What was running has no outcome. */
  close(): Promise<void> {
    this.#lose(new ConnectionLost("the connection was ended"))
    this.#close ??= this.#sql.end({ timeout: 0 }).catch(() => {})
    return this.#close
  }

  #lose(reason: ConnectionLost): void {
    this.#isOpen = false
    clearInterval(this.#watch)
    this.#end()
    for (const reject of this.#unanswered) reject(reason)
    this.#unanswered.clear()
  }

  #endWhenSilent(): void {
    if (this.#unanswered.size > 0 && performance.now() - this.#heardAt > ANSWER_TIMEOUT_MS) void this.close()
  }
}

/** After an error of a statement the connection goes on; after a fatal one, or one of the network, it does not. */
const isFatal = (error: unknown): boolean =>
  !(error instanceof Error && error.name === "PostgresError" && "severity" in error && error.severity === "ERROR")

/** A list of rows as one parameter, for `json_to_recordset`: so a statement's text does not depend on how many there are. */
export const rowsOf = (rows: readonly Readonly<Record<string, SqlValue | boolean>>[]): string => JSON.stringify(rows)
