import type { Identity } from "../identity.ts"
import type { Grant, Organisation } from "./model.ts"

/** The most of something that a repository may use up, and where that is set: `daypass.yaml:12`, or `the default`. */
export interface Limit {
  readonly max: number
  readonly source: string
}

/** What one repository may use up of what all repositories share: the ledger's storage and the broker's time. */
export interface Limits {
  readonly exchangesPerMinute: Limit
  readonly openLeases: Limit
  /** Denials beyond it are counted in one record an hour. */
  readonly denialsPerHour: Limit
}

/** A limit that stands in the way of an exchange. */
export interface ReachedLimit extends Limit {
  readonly name: "exchanges_per_minute" | "open_leases" | "max_open_leases"
  /** The grant whose limit it is, for `max_open_leases`. */
  readonly grant?: string
  readonly used: number
  /** Seconds after which another attempt can succeed. */
  readonly retryAfterSeconds: number
}

const byDefault = (max: number): Limit => ({ max, source: "the default" })

/** No honest workflow meets these: a matrix has at most 256 jobs, which may all start, fail and start again at once. */
export const DEFAULT_LIMITS: Limits = {
  exchangesPerMinute: byDefault(1_200),
  openLeases: byDefault(5_000),
  denialsPerHour: byDefault(1_000),
}

/** The limits of a repository. */
export function limitsOf(_organisation: Organisation, _identity: Identity): Limits {
  return DEFAULT_LIMITS
}

/** How many leases with one grant may be open, and the key under which its ledger counts them. */
export interface GrantLimit extends Limit {
  readonly grant: string
  /** Another environment's grant of the same name has another key. */
  readonly key: string
}

/** The limit of a grant's open leases; null when the grant sets none. */
export function grantLimitOf(grant: Grant, environment: string | undefined): GrantLimit | null {
  if (grant.maxOpenLeases === undefined) return null
  const key = JSON.stringify([environment ?? null, grant.name])
  return { max: grant.maxOpenLeases, source: `${grant.file}:${grant.line}`, grant: grant.name, key }
}
