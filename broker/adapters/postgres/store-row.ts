import { FaultFound } from "./faults.ts"
import { SCHEMA_VERSION } from "./schema.ts"
import { ConnectionLost, type Row, type Session, type Statement } from "./session.ts"

/** What the database says of itself at the beginning of a transaction. */
export interface StoreState {
  /** Unix seconds: subject tokens that were issued before are refused, because this database may not know their use. */
  readonly acceptFrom: number
  /** How often the database was found to be older than what was known of it. */
  readonly generation: number
  /** Why nothing may be granted although the database can be written; null when it keeps what it confirms. */
  readonly undurable: FaultFound | null
  /** The server's line of history now; a promotion and a restore to a point in time begin a new one. */
  readonly timeline: string
  /** Whether a commit waits for a standby now. */
  readonly hasStandby: boolean
  /** The line of history that was noted last, and whether commits on it waited for a standby. */
  readonly knownTimeline: string
  readonly hadStandby: boolean
}

type StateRow = Row & {
  readonly synchronous_commit: string
  readonly fsync: string
  readonly names_standbys: boolean
  readonly read_only: boolean
  readonly timeline: string
  readonly schema_version: number
  readonly readable_from: number
  readonly deployment: string
  readonly accept_from: number
  readonly generation: number
  readonly known_timeline: string
  readonly had_standby: boolean
}

/**
 * Deadlines on the server. They end a transaction whose broker is gone, so that it locks no ledger for longer. They are set in
 * each transaction, because a pooler forgets or refuses the settings of a connection.
 */
const DEADLINES = { lock_timeout: "3s", statement_timeout: "8s", idle_in_transaction_session_timeout: "8s" }

/**
 * The first statement of every transaction. It keeps `synchronous_commit` as it was read: a change of the server's
 * configuration in the middle of a transaction must not make its commit less than what was checked.
 */
export const readState: Statement = {
  text: `SELECT
      set_config('synchronous_commit', current_setting('synchronous_commit'), true) AS synchronous_commit,
      ${Object.entries(DEADLINES)
        .map(([name, value]) => `set_config('${name}', '${value}', true)`)
        .join(", ")},
      current_setting('fsync') AS fsync,
      current_setting('synchronous_standby_names') <> '' AS names_standbys,
      pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
      CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline,
      schema_version, readable_from, deployment, accept_from, generation, timeline AS known_timeline, has_standby AS had_standby
    FROM daypass.store WHERE id = $1::integer`,
  // A parameter, so that the statement is prepared.
  values: [1],
}

/**
 * Judges the answer to `readState`.
 *
 * @throws {FaultFound} when the database cannot be used at all
 */
export function judgeState(rows: readonly Row[], deployment: string): StoreState {
  const [row] = rows as readonly StateRow[]
  if (!row) throw new FaultFound("missing")
  if (row.read_only) throw new FaultFound("read-only")
  if (row.schema_version > SCHEMA_VERSION && row.readable_from > SCHEMA_VERSION) throw new FaultFound("newer")
  if (row.schema_version < SCHEMA_VERSION) throw new FaultFound("missing")
  if (row.deployment !== deployment) throw new FaultFound("foreign")
  const undurable =
    row.fsync === "off" ? "fsync off" : row.synchronous_commit === "off" ? "synchronous_commit off" : null
  return {
    acceptFrom: row.accept_from,
    generation: row.generation,
    undurable: undurable === null ? null : new FaultFound(undurable),
    timeline: row.timeline,
    // `local` waits for no standby, whatever their names are.
    hasStandby: row.names_standbys && row.synchronous_commit !== "local",
    knownTimeline: row.known_timeline,
    hadStandby: row.had_standby,
  }
}

/** Runs `work` in a transaction of its own, whose answer is known to be durable. Rolls back when it throws. */
export async function inTransaction<Value>(
  session: Session,
  deployment: string,
  work: (state: StoreState) => Promise<Value>,
): Promise<Value> {
  const begun = session.begin()
  try {
    const { rows } = await session.run(readState)
    await begun
    const value = await work(judgeState(rows, deployment))
    await commit(session)
    return value
  } catch (error) {
    await session.run({ text: "ROLLBACK" }).catch(() => {})
    throw error
  }
}

/** The server undid the transaction: nothing of it is in the database. */
export class RolledBack extends Error {}

/**
 * Commits. A COMMIT after a failure is answered with ROLLBACK, and no error.
 *
 * @throws {RolledBack} when nothing was committed; after every other error that is not known, or the commit may be lost
 */
export async function commit(session: Session): Promise<void> {
  const warnings = session.warnings
  const { command } = await session.run({ text: "COMMIT" })
  if (command !== "COMMIT") throw new RolledBack("the transaction was rolled back")
  if (session.warnings !== warnings) throw new ConnectionLost("the commit did not wait for its standby")
}
