import type { Sql } from "../../ports/sql.ts"

/** What a database says about itself. */
export interface StoreRow {
  /** Random; changes when the database turns out to be older than what is known outside of it. Empty: never set. */
  readonly generation: string
  /** How many commits were counted. */
  readonly commits: number
  /** Unix seconds: subject tokens that were issued before are refused, because this database may not know their use. */
  readonly acceptFrom: number
}

export function readStore(sql: Sql): StoreRow {
  const [row] = sql.all<{ generation: string; commits: number; accept_from: number }>(
    "SELECT generation, commits, accept_from FROM store WHERE id = 1",
  )
  if (!row) throw new Error("the store's row is missing")
  return { generation: row.generation, commits: row.commits, acceptFrom: row.accept_from }
}

/** Counts one commit, in its transaction. Returns the new count. */
export function countCommit(sql: Sql): number {
  const [row] = sql.all<{ commits: number }>("UPDATE store SET commits = commits + 1 WHERE id = 1 RETURNING commits")
  if (!row) throw new Error("the store's row is missing")
  return row.commits
}

/** From now on, subject tokens that were issued before `unixSeconds` are refused. The limit only grows. */
export function acceptTokensFrom(sql: Sql, unixSeconds: number): void {
  sql.run("UPDATE store SET accept_from = max(accept_from, ?) WHERE id = 1", unixSeconds)
}

export function renewGeneration(sql: Sql, generation: string): void {
  sql.run("UPDATE store SET generation = ? WHERE id = 1", generation)
}

/** The latest time that any ledger of this database has seen, in Unix milliseconds; 0 when there is none. */
export function latestTime(sql: Sql): number {
  const [row] = sql.all<{ latest: number | null }>("SELECT max(latest_at) AS latest FROM ledgers")
  return row?.latest ?? 0
}
