import type { BoundaryTrace, ConditionTrace, FieldTrace } from "../../wire/trace.ts"
import { isForeignUnitClaim, isUnitClaim } from "../families/families.ts"
import type { Claims, Identity } from "../identity.ts"
import { type Condition, describeClaim, describeCondition, matchCondition } from "./condition.ts"
import { type JobProtection, missingProtection } from "./environment-protection.ts"
import { type CeilingSource, type JobReadings, readingsOf } from "./job-readings.ts"
import type { Boundary, BoundaryEntry, FieldCeiling, Grant, Policy } from "./model.ts"
import { matchPattern } from "./pattern.ts"
import { memberOf } from "./plain.ts"
import type { GrantKey } from "./provider-schemas.ts"
import { PEOPLE_KEY } from "./schema-units.ts"

/** The boundaries that concern a job's unit, evaluated for the job. When the list is empty, there is no ceiling. */
export type Ceiling = readonly BoundaryReading[]

interface BoundaryReading {
  readonly boundary: Boundary
  /** All of `when` matches by the rules of an `allow`: this job may get what the boundary allows. */
  readonly allows: boolean
  /** All of `when` matches by the rules of a `deny`: this job must fulfil what the boundary requires. */
  readonly restricts: boolean
  readonly when: readonly ConditionTrace[]
  readonly required: readonly ConditionTrace[]
}

/**
 * The boundaries that concern a job's unit. If there is at least one, every grant needs a boundary that allows it.
 *
 * A missing claim or a rename never removes a ceiling. Boundaries are checked against every name of the unit: the one
 * in the token, those that policies write beside its id, and those with the listed names of its owner's id.
 */
export function boundariesConcerning(
  organisation: CeilingSource,
  identity: Identity,
  policies: readonly Policy[] = [],
): readonly Boundary[] {
  const { boundaries } = organisation
  if (boundaries.length === 0) return boundaries
  const job = readingsOf(organisation, identity, policies)
  return boundaries.filter((boundary) => concerns(boundary, job))
}

/** Evaluates the boundaries that concern a job's unit. */
export function ceilingFor(organisation: CeilingSource, identity: Identity, policies: readonly Policy[]): Ceiling {
  const job = readingsOf(organisation, identity, policies)
  return boundariesConcerning(organisation, identity, policies).map((boundary): BoundaryReading => {
    const { when, require } = boundary
    const servesPeople = boundary.people === true
    const restricts = when.every((one) => matchesAny(one, job))
    return {
      boundary,
      allows: servesPeople === job.people && when.every((one) => matchCondition(one, "allow", identity.claims)),
      restricts,
      when: [
        ...when.map((one) => traceOf(one, identity.claims)).filter((one) => isInformative(one, job.family)),
        ...(job.people && !servesPeople ? [NOT_FOR_PEOPLE] : []),
      ],
      required: restricts ? require.map((one) => traceOf(one, identity.claims)) : [],
    }
  })
}

/** Whether a grant is inside the ceiling. */
export interface CeilingVerdict {
  readonly inside: boolean
  /** The only obstacle is that the environment is not known to be protected. */
  readonly onlyUnprotected: boolean
  /** The lowest limit of all boundaries that restrict the job. */
  readonly maxTtlSeconds: number
  readonly boundaries: readonly BoundaryTrace[]
}

/** A grant's fields in the form that boundaries check: unchanged, unless the provider defines another form. */
export const underCeiling = (grant: Pick<Grant, "underCeiling">, fields: unknown): unknown =>
  grant.underCeiling === undefined ? fields : grant.underCeiling(fields)

/** Checks one grant, with its fields as they will be minted, against the job's ceiling. */
export function checkGrant(
  ceiling: Ceiling,
  grant: Pick<Grant, "connection" | "fields" | "underCeiling" | "mustBeNamed">,
  protection: JobProtection,
): CeilingVerdict {
  const { connection } = grant
  const fields = underCeiling(grant, grant.fields)
  const named = grant.mustBeNamed?.(grant.fields) ?? []
  const boundaries = ceiling.map(({ boundary, allows, restricts, when, required }): BoundaryTrace => {
    const { name, file, line, allow, protectedEnvironment } = boundary
    const refused = allows ? refusedFields(allow, connection.name, fields, named) : []
    const environment = restricts && protectedEnvironment ? missingProtection(protectedEnvironment, protection) : []
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

/** A boundary that leaves the key out may have been written before people were let in: it restricts them and allows nothing. */
const NOT_FOR_PEOPLE: ConditionTrace = { claim: PEOPLE_KEY, expected: "true", actual: null, matched: false }

function concerns({ when, people }: Boundary, job: JobReadings): boolean {
  if (people !== undefined && people !== job.people) return false
  return when.every((one) => {
    if (isForeignUnitClaim(job.family, one.claim)) return false
    return !isUnitClaim(job.family, one.claim) || matchesAny(one, job)
  })
}

/** Checks each condition on its own: after a rename of unit and owner, perhaps only one of the names was updated. */
function matchesAny(condition: Condition, { family, known }: JobReadings): boolean {
  // A boundary for units of other issuers: no token of this one could have the claim, so its absence says nothing.
  if (isForeignUnitClaim(family, condition.claim)) return false
  return known.some((claims) => matchCondition(condition, "deny", claims))
}

const NAMED = "named by the boundary, because it reaches the whole organisation"

/** The keys of a grant that reach stored secrets: by locators, or an item as a whole. */
export const STORED: readonly string[] = ["read", "read_all"]

/**
 * The fields of an entry that a grant must fit; null for one that the entry must name and does not.
 *
 * `read` and `read_all` reach the same secrets. So an entry that names one of them leaves the other closed, not free. An entry
 * with both allows grants with either.
 */
export function fieldsChecked(
  { fields }: Pick<BoundaryEntry, "fields">,
  grant: unknown,
): readonly (readonly [name: string, ceiling: FieldCeiling | null])[] {
  const used = STORED.filter((name) => memberOf(grant, name) !== undefined)
  if (used.length === 0 || !STORED.some((name) => fields.has(name))) return [...fields]
  const others = [...fields].filter(([name]) => !STORED.includes(name))
  return [...others, ...used.map((name) => [name, fields.get(name) ?? null] as const)]
}

/** Null when an entry allows the grant; otherwise the fields that the closest entry for its connection refuses. */
function refusedFields(
  entries: readonly BoundaryEntry[],
  connection: string,
  fields: unknown,
  mustBeNamed: readonly GrantKey[],
): readonly FieldTrace[] | null {
  let nearest: readonly FieldTrace[] = []
  for (const entry of entries) {
    if (entry.connection !== connection) continue
    // A map of the entry names every key that it allows.
    const unnamed = mustBeNamed.filter(([field]) => entry.fields.get(field)?.kind !== "map")
    const refused = [
      ...fieldsChecked(entry, fields).flatMap(([name, ceiling]) => fieldTraces(name, ceiling, memberOf(fields, name))),
      ...unnamed.map(([field, key]) => ({ field: `${field}.${key}`, expected: NAMED, actual: "not named by it" })),
    ]
    if (refused.length === 0) return null
    if (nearest.length === 0 || refused.length < nearest.length) nearest = refused
  }
  return nearest
}

/** The reasons why a field is outside; empty when it is inside. A missing field is not narrowed, so it is outside. */
function fieldTraces(field: string, ceiling: FieldCeiling | null, value: unknown): FieldTrace[] {
  const refuse = (expected: string, actual: string | null): FieldTrace[] => [{ field, expected, actual }]
  if (ceiling === null) return refuse("named by the boundary, which limits the stored secrets", describe(value))
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

/** Every text in a field, at any depth. Numbers and booleans count as their text. Null when any other value is inside. */
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

/** A matched claim of the unit is left out of the trace: it adds nothing, and its patterns may name other units. */
function isInformative({ claim, matched }: ConditionTrace, family: string): boolean {
  return !(matched && isUnitClaim(family, claim))
}
