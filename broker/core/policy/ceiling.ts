import type { BoundaryTrace, ConditionTrace, FieldTrace } from "../../wire/trace.ts"
import { type Claims, type Identity, repositoryName } from "../identity.ts"
import { type Condition, describeClaim, describeCondition, matchCondition } from "./condition.ts"
import { missingProtection, type ProtectionFact } from "./environment-protection.ts"
import type { Boundary, BoundaryEntry, FieldCeiling, Grant, Organisation, Policy } from "./model.ts"
import { matchPattern } from "./pattern.ts"
import { memberOf } from "./plain.ts"

/**
 * Claims that tell repositories apart, and that no job can choose. A boundary is about every repository that its conditions
 * on these admit; what else its `when` says cannot lift the ceiling off one, only keep the boundary from allowing.
 */
const REPOSITORY_CLAIMS: ReadonlySet<string> = new Set([
  "iss",
  "enterprise",
  "enterprise_id",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
])

/** The boundaries that are about a job's repository, and how they stand to the job. None: there is no ceiling over it. */
export type Ceiling = readonly BoundaryReading[]

interface BoundaryReading {
  readonly boundary: Boundary
  /** All of `when` matches as in an `allow`: what the boundary allows, this job may get. */
  readonly allows: boolean
  /** All of `when` matches as in a `deny`: what the boundary requires, this job must fulfil. */
  readonly restricts: boolean
  readonly when: readonly ConditionTrace[]
  readonly required: readonly ConditionTrace[]
}

/** Where a ceiling comes from: its boundaries, and by which names the organisation lists its owners. */
type CeilingSource = Pick<Organisation, "boundaries" | "issuers">

/**
 * The boundaries that are about a job's repository. Where there is one, every grant needs a boundary that allows it.
 *
 * A missing claim never lifts a ceiling, and neither does a new name: a repository is held against the boundaries by the
 * names in its token, by those that policies wrote for its id, and by those that the organisation lists for its owner's.
 */
export function boundariesConcerning(
  organisation: CeilingSource,
  identity: Identity,
  policies: readonly Policy[] = [],
): readonly Boundary[] {
  const { boundaries } = organisation
  if (boundaries.length === 0) return boundaries
  const known = knownAs(organisation, identity, policies)
  return boundaries.filter(({ when }) => concerns(when, known))
}

/** Holds a job against the boundaries that are about its repository. */
export function ceilingOver(organisation: CeilingSource, identity: Identity, policies: readonly Policy[]): Ceiling {
  const known = knownAs(organisation, identity, policies)
  return boundariesConcerning(organisation, identity, policies).map((boundary): BoundaryReading => {
    const { when, require } = boundary
    const restricts = when.every((one) => holdsOfAny(one, known))
    return {
      boundary,
      allows: when.every((one) => matchCondition(one, "allow", identity.claims)),
      restricts,
      when: when.map((one) => traceOf(one, identity.claims)).filter(saysSomething),
      required: restricts ? require.map((one) => traceOf(one, identity.claims)) : [],
    }
  })
}

/** How a grant stands to the ceiling. */
export interface CeilingVerdict {
  readonly inside: boolean
  /** The grant would be inside if only the environment were known to be protected. */
  readonly onlyUnprotected: boolean
  /** The least of the limits of all boundaries in force for the job. */
  readonly maxTtlSeconds: number
  readonly boundaries: readonly BoundaryTrace[]
}

/** A grant's fields as boundaries see them, which is as they are unless the provider says otherwise. */
export const underCeiling = (grant: Pick<Grant, "underCeiling">, fields: unknown): unknown =>
  grant.underCeiling === undefined ? fields : grant.underCeiling(fields)

/** Holds one grant, with its fields as they are to be minted, against the ceiling over the job. */
export function holdAgainst(
  ceiling: Ceiling,
  grant: Pick<Grant, "connection" | "fields" | "underCeiling">,
  fact: ProtectionFact,
): CeilingVerdict {
  const { connection } = grant
  const fields = underCeiling(grant, grant.fields)
  const boundaries = ceiling.map(({ boundary, allows, restricts, when, required }): BoundaryTrace => {
    const { name, file, line, allow, protectedEnvironment } = boundary
    const refused = allows ? refusedFields(allow, connection.name, fields) : []
    const environment = restricts && protectedEnvironment ? missingProtection(protectedEnvironment, fact) : []
    const trace = { name, file, line, matched: allows, allows: allows && refused === null, conditions: when, required }
    return { ...trace, fields: refused ?? [], environment }
  })
  const allowed = boundaries.some((one) => one.allows)
  const fulfilled = boundaries.every(({ required }) => required.every(({ matched }) => matched))
  const isProtected = boundaries.every(({ environment }) => environment.length === 0)
  return {
    inside: allowed && fulfilled && isProtected,
    onlyUnprotected: allowed && fulfilled && !isProtected,
    maxTtlSeconds: Math.min(
      ...ceiling.map(({ restricts, boundary }) => (restricts ? (boundary.maxTtlSeconds ?? Infinity) : Infinity)),
    ),
    boundaries,
  }
}

/** Whether a claim says whose repository a job belongs to, rather than what the job is. */
export const isRepositoryClaim = (claim: string): boolean => REPOSITORY_CLAIMS.has(claim)

function concerns(when: readonly Condition[], known: readonly Claims[]): boolean {
  return when.every((one) => !REPOSITORY_CLAIMS.has(one.claim) || holdsOfAny(one, known))
}

/** Each condition for itself: of a repository and an owner that were renamed, one name may be corrected and not the other. */
function holdsOfAny(condition: Condition, known: readonly Claims[]): boolean {
  return known.some((claims) => matchCondition(condition, "deny", claims))
}

/** The job's claims, once with each name that its repository goes by. */
function knownAs(
  { issuers }: CeilingSource,
  { claims, repository, issuer, ownerId }: Identity,
  policies: readonly Policy[],
): readonly Claims[] {
  const names = [repository]
  for (const policy of policies) if (policy.target.kind === "repository") names.push(policy.repository)
  for (const [owner, id] of issuers.get(issuer)?.owners ?? []) {
    if (id === ownerId) names.push(`${owner}/${repositoryName(repository)}`)
  }
  const readings = [...new Set(names)].map((name) => ({ repository: name, repository_owner: ownerOf(name) }))
  const others = readings.filter(
    (one) => claims["repository"] !== one.repository || claims["repository_owner"] !== one.repository_owner,
  )
  return [claims, ...others.map((one) => Object.assign(Object.create(null), claims, one) as Claims)]
}

const ownerOf = (repository: string) => repository.slice(0, repository.indexOf("/"))

/** Null when an entry admits the grant; otherwise the fields that the nearest entry of its connection refuses. */
function refusedFields(
  entries: readonly BoundaryEntry[],
  connection: string,
  fields: unknown,
): readonly FieldTrace[] | null {
  let nearest: readonly FieldTrace[] = []
  for (const entry of entries) {
    if (entry.connection !== connection) continue
    const refused = [...entry.fields].flatMap(([name, ceiling]) => fieldTraces(name, ceiling, memberOf(fields, name)))
    if (refused.length === 0) return null
    if (nearest.length === 0 || refused.length < nearest.length) nearest = refused
  }
  return nearest
}

/** What keeps a field from being inside: nothing when it is. What is not there is not narrowed, so it is outside. */
function fieldTraces(field: string, ceiling: FieldCeiling, value: unknown): FieldTrace[] {
  const refuse = (expected: string, actual: string | null): FieldTrace[] => [{ field, expected, actual }]
  if (ceiling.kind === "map") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse("a map", describe(value))
    const known = [...ceiling.entries.keys()]
    if (Object.keys(value).length === 0) return refuse(`some of ${known.join(", ")}`, "{}")
    const extra = Object.keys(value).filter((key) => !ceiling.entries.has(key))
    return [
      ...extra.map((key) => ({ field: `${field}.${key}`, expected: `only ${known.join(", ")}`, actual: key })),
      ...[...ceiling.entries].flatMap(([key, inner]) =>
        Object.hasOwn(value, key) ? fieldTraces(`${field}.${key}`, inner, memberOf(value, key)) : [],
      ),
    ]
  }
  const expected = ceiling.patterns.map(({ source }) => source).join(" or ")
  const texts = textsIn(value)
  if (texts === null || texts.length === 0) return refuse(expected, describe(value))
  const outside = texts.find((text) => !ceiling.patterns.some((pattern) => matchPattern(pattern, text)))
  return outside === undefined ? [] : refuse(expected, outside)
}

/** Every text in a field, however deep; null when something in it is none. Numbers and flags count as written. */
export function textsIn(value: unknown): readonly string[] | null {
  if (typeof value === "string") return [value]
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return [String(value)]
  if (typeof value !== "object" || value === null) return null
  const texts: string[] = []
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    const inner = textsIn(member)
    if (inner === null) return null
    texts.push(...inner)
  }
  return texts
}

function describe(value: unknown): string | null {
  if (value === undefined) return null
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return text.length > 256 ? `${text.slice(0, 255)}…` : text
}

function traceOf(condition: Condition, claims: Claims): ConditionTrace {
  const { claim } = condition
  const matched = matchCondition(condition, "allow", claims)
  return { claim, expected: describeCondition(condition), actual: describeClaim(claims, claim), matched }
}

/** That a boundary is about this repository is known, and its list of repositories may name others'. */
function saysSomething({ claim, matched }: ConditionTrace): boolean {
  return !(matched && REPOSITORY_CLAIMS.has(claim))
}
