/**
 * Until when a sweep leaves a connection alone, in Unix milliseconds; null when it can be asked to revoke one more credential
 * now. Called once for each lease and connection, and again when a transaction runs twice.
 */
export type WaitUntil = (connection: string) => number | null

/** More than an operator can tell apart. A count of all would read each of them. */
export const OVERDUE_COUNTED_AT_MOST = 10_000

/** Leases whose time is over, and which no sweep has come to yet. */
export interface Overdue {
  /** How many there are; at most `OVERDUE_COUNTED_AT_MOST` are counted. */
  readonly leases: number
  /** Unix milliseconds: since when the oldest of them is due; null when there is none. */
  readonly since: number | null
}
