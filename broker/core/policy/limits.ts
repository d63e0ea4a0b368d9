import { isUnitClaim } from "../families/families.ts"
import type { Identity } from "../identity.ts"
import { type Condition, matchCondition } from "./condition.ts"
import type { Grant, LimitEntry, Organisation } from "./model.ts"

/** The most of something that a unit may use up, and where that is set: `daypass.yaml:12`, or `the default`. */
export interface Limit {
  readonly max: number
  readonly source: string
}

/** What one unit may use up of what all units share: the ledger's storage and the broker's time. */
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

/** The source of a limit that no entry sets. */
export const BY_DEFAULT = "the default"

const byDefault = (max: number): Limit => ({ max, source: BY_DEFAULT })

/** No honest workflow meets these: a matrix has at most 256 jobs, which may all start, fail and start again at once. */
export const DEFAULT_LIMITS: Limits = {
  exchangesPerMinute: byDefault(1_200),
  openLeases: byDefault(5_000),
  denialsPerHour: byDefault(1_000),
}

/**
 * The limits of a unit. Each is the lowest that a matching entry sets, in whatever order the entries stand; the default
 * counts only when no matching entry sets it. An entry tests claims of units, which every token of its issuers has; one for
 * units of other issuers does not match.
 */
export function limitsOf(
  { limits, issuers }: Pick<Organisation, "limits" | "issuers">,
  { claims, issuer }: Pick<Identity, "claims" | "issuer">,
): Limits {
  const { family = "" } = issuers.get(issuer) ?? {}
  const matches = (one: Condition) => isUnitClaim(family, one.claim) && matchCondition(one, "deny", claims)
  const matching = limits.filter(({ when }) => when.every(matches))
  const lowest = (name: keyof LimitEntry["max"], byDefault: Limit): Limit => {
    const set = matching.flatMap(({ max: { [name]: max }, file, line }) =>
      max === undefined ? [] : [{ max, source: `${file}:${line}` }],
    )
    return set.reduce((least, one) => (one.max < least.max ? one : least), set[0] ?? byDefault)
  }
  return {
    exchangesPerMinute: lowest("exchanges_per_minute", DEFAULT_LIMITS.exchangesPerMinute),
    openLeases: lowest("open_leases", DEFAULT_LIMITS.openLeases),
    denialsPerHour: lowest("denials_per_hour", DEFAULT_LIMITS.denialsPerHour),
  }
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
