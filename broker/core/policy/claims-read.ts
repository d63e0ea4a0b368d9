import type { AuditDraft, ClaimsRead } from "../audit-record.ts"
import { boundedMap } from "../bounded-map.ts"
import type { ClaimValue, Identity } from "../identity.ts"
import { memoized } from "../memoized.ts"
import type { Condition } from "./condition.ts"
import { visible } from "./faults.ts"
import type { Boundary, Organisation, Policy } from "./model.ts"

/** The limit for the claims of a record, as canonical JSON. */
const MAX_CLAIMS_BYTES = 4 * 1024
/** Names and refs are shorter. A longer text is not recorded, whatever it is. */
const MAX_TEXT_CHARACTERS = 512

/**
 * The claims that a decision about a job reads: those in conditions of rules, in gaps of grants, in boundaries, and those
 * that an `allow` must name because of what the job is. No other claim of the token.
 *
 * @param policies those that cover the job's unit, for any environment
 */
export function claimsRead(
  { boundaries }: Pick<Organisation, "boundaries">,
  policies: readonly Policy[],
  { cautions }: Pick<Identity, "cautions">,
): ReadonlySet<string> {
  return new Set([
    ...policies.flatMap((policy) => claimsOfPolicy(policy)),
    ...claimsOfBoundaries(boundaries),
    ...cautions.flatMap(({ fact, claim }) => (claim === undefined ? [fact] : [fact, claim])),
  ])
}

/** What the job's token says for these claims, in the form of an audit record. */
export function recordedClaims(
  names: ReadonlySet<string>,
  { claims }: Pick<Identity, "claims">,
): Pick<AuditDraft, "claims" | "claims_left_out"> {
  const entries = [...names].sort().flatMap((name) => {
    const value = Object.hasOwn(claims, name) ? (claims[name] ?? null) : null
    return value === null ? [] : [[visible(name), textsOf(value)] as const]
  })
  const { map, leftOut } = boundedMap<NonNullable<ClaimsRead[string]>>(entries, MAX_CLAIMS_BYTES)
  return { claims: map, ...(leftOut === 0 ? {} : { claims_left_out: leftOut }) }
}

/** A claim as conditions compare it. Null for what no condition can compare, and for long texts. */
function textsOf(value: ClaimValue): string | readonly string[] | null {
  if (!Array.isArray(value)) return textOf(value as Exclude<ClaimValue, readonly ClaimValue[]>)
  const texts = value.map((member) => (Array.isArray(member) ? null : textOf(member)))
  return texts.every((text) => text !== null) ? texts : null
}

function textOf(value: Exclude<ClaimValue, readonly ClaimValue[]>): string | null {
  if (typeof value === "boolean") return String(value)
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value === 0 ? 0 : value) : null
  return typeof value === "string" && value.length <= MAX_TEXT_CHARACTERS ? visible(value) : null
}

const claimsOfPolicy = cachedFor(({ allow, deny, grants }: Policy): readonly string[] => [
  ...claimsOf([...allow, ...deny].flatMap(({ conditions }) => conditions)),
  ...[...grants.values()].flatMap(({ template }) => template?.claims ?? []),
])

const claimsOfBoundaries = cachedFor((boundaries: readonly Boundary[]): readonly string[] =>
  claimsOf(boundaries.flatMap(({ when, require }) => [...when, ...require])),
)

const claimsOf = (conditions: readonly Condition[]): readonly string[] => [
  ...new Set(conditions.map(({ claim }) => claim)),
]

/** Policies are immutable and serve many jobs, so what they read is found out once. */
function cachedFor<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  return memoized(make, new WeakMap<Key, Value>())
}
