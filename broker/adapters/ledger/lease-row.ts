import type { LeaseState } from "./lease-states.ts"
import { readCredentials, type StoredLease } from "./rows.ts"

/** A lease as every database stores it. Times are Unix milliseconds. */
export type LeaseRow = {
  readonly id: string
  readonly run_id: string
  readonly run_attempt: string
  readonly state: LeaseState
  readonly ends_by: number
  readonly over_since: number | null
  readonly due_at: number
  readonly tried_at: number | null
  readonly attempts: number
  readonly unknown_until: number
  /** JSON. */
  readonly credentials: string
}

export const leaseOf = (row: LeaseRow): StoredLease => ({
  id: row.id,
  runId: row.run_id,
  runAttempt: row.run_attempt,
  state: row.state,
  endsBy: row.ends_by,
  overSince: row.over_since,
  dueAt: row.due_at,
  triedAt: row.tried_at,
  attempts: row.attempts,
  unknownUntil: row.unknown_until,
  credentials: readCredentials(row.credentials),
})
