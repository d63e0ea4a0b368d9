import type { Boundary, BoundaryEntry, FieldCeiling, PolicySet } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"
import { knownKeys } from "../../broker/core/policy/schema-faults.ts"
import {
  ownPoliciesSpace,
  type Potential,
  potentialsOf,
  regionInEnvironment,
  type Side,
  sideOf,
} from "../reach/own-policies.ts"
import { singleTexts } from "../reach/single-texts.ts"
import { everything, intersect, isEmpty, meets, type Region, witness } from "../regions/region.ts"
import type { Space } from "../regions/space.ts"
import { attempt, type Must } from "../regions/too-complex.ts"
import { fieldAxesOf, isFieldClaim, regionOfEveryField } from "../scopes/field-axes.ts"
import { regionOfConditions } from "../scopes/rule-region.ts"
import { allJobsOf } from "../scopes/scope.ts"
import { familyOf, nameClaim } from "../scopes/unit-claims.ts"
import type { WhoCan, WhoCanContext, WhoCanQuery, WhoCanRow } from "./model.ts"
import { describeBoundary, probeOf, written } from "./words.ts"

/** Jobs that could get a matching grant by a policy of their own repository: one row for each boundary entry that allows it. */
export function whoCanByThemselves(set: PolicySet, query: WhoCanQuery, context: WhoCanContext): WhoCan {
  const sides = [...set.organisation.issuers.keys()]
    .map((issuer) => sideOf(set, issuer, null))
    .filter(({ isOpen }) => isOpen)
  const found = sides.flatMap((side) => {
    const used = new Set(side.boundaries.flatMap(({ allow }) => allow.map(({ connection }) => connection)))
    return [...used]
      .filter(
        (connection) => (query.connection ?? connection) === connection && hasFields(connection, side, query, context),
      )
      .map((connection) => whoCanThrough(connection, side, query, context))
  })
  return {
    rows: found.flatMap(({ rows }) => rows),
    unreachable: [],
    unknown: found.flatMap(({ unknown }) => unknown),
  }
}

/** Whether the provider's grants have all the fields asked for. */
function hasFields(
  connection: string,
  { set }: Side,
  { fields = [] }: WhoCanQuery,
  { providers }: WhoCanContext,
): boolean {
  const schema = providers.get(set.organisation.connections.get(connection)?.provider ?? "")?.grant
  const known = schema === undefined ? [] : knownKeys(schema, [])
  return known.length === 0 || fields.every(({ key }) => known.includes(key.split(".")[0] ?? ""))
}

function whoCanThrough(connection: string, side: Side, query: WhoCanQuery, { providers }: WhoCanContext): WhoCan {
  const subject = allJobsOf(side.issuer)
  const found = attempt((must) => {
    const probe: Boundary = {
      ...probeOf({ ...query, fields: [] }, familyOf(side.issuer), []),
      allow: wishesOf(query, connection),
    }
    const entries = [...side.boundaries.flatMap(({ allow }) => allow), ...probe.allow].filter(
      (entry) => entry.connection === connection,
    )
    const single = singleTexts(side.set.organisation.connections.get(connection), providers)
    const axes = fieldAxesOf(entries, (field) => !single.has(field))
    // The probe makes the space distinguish the patterns of the question, too.
    const asking: Side = { ...side, boundaries: [...side.boundaries, probe] }
    const space = must(ownPoliciesSpace({ old: asking, next: asking }, axes, null))
    const wanted = [
      regionOfConditions(space, probe.when, "allow"),
      environmentRegion(space, query.environment),
      ...probe.allow.map((entry) => must(regionOfEveryField(space, entry, axes))),
    ].reduce((one, other) => must(intersect(one, other)))
    return potentialsOf(side, connection, space, axes, providers, must).flatMap((potential): WhoCanRow[] => {
      const reached = must(intersect(potential.possible, wanted))
      return isEmpty(reached) ? [] : [rowOf(potential, reached, side, query, must)]
    })
  })
  if (found.ok) return { rows: found.value, unreachable: [], unknown: [] }
  return { rows: [], unreachable: [], unknown: [{ subject, grant: null, reason: found.fault.reason }] }
}

function rowOf(
  { boundary, entry, lifetimes, connection }: Potential,
  reached: Region,
  side: Side,
  query: WhoCanQuery,
  must: Must,
): WhoCanRow {
  const held = lifetimes
    .filter(({ region }) => !isEmpty(must(intersect(region, reached))))
    .map(({ seconds }) => seconds)
  const longest = Math.max(...held)
  const around = must(
    intersect(
      regionOfConditions(reached.space, boundary.when, "allow"),
      environmentRegion(reached.space, query.environment),
    ),
  )
  const job = Object.entries(witness(reached) ?? {}).filter(([claim]) => !isFieldClaim(claim))
  return {
    subject: {
      ...allJobsOf(side.issuer),
      ...(query.environment === undefined ? {} : { environment: query.environment }),
    },
    only: query.unit?.source ?? null,
    grant: null,
    sub: null,
    connection: connection.name,
    resource: entryWords(entry),
    ttlSeconds: Number.isFinite(longest) ? longest : null,
    conditions: written(boundary.when),
    unless: denialsOf(side, reached, around),
    within: side.boundaries.flatMap((one) => {
      const restricts = regionOfConditions(reached.space, one.when, "deny")
      return describeBoundary(one, { isAllowing: one === boundary, restricts, reached }, must)
    }),
    protectedEnvironment: [],
    breakGlass: null,
    place: { name: boundary.name, file: boundary.file, line: entry.line },
    example: Object.fromEntries(job),
    proven: true,
  }
}

/** The denies of all grants in the organisation's own policies, each with the jobs that it applies to. */
function denialsOf({ restricting }: Side, { space }: Region, reached: Region): WhoCanRow["unless"] {
  return restricting.flatMap(({ deny, target, environment, unit }) => {
    const { family } = space
    const inside = family.roles.environment
    const about = [
      ...(target.kind === "owner" && target.names.source !== "*" ? [{ claim: nameClaim(family), expected: unit }] : []),
      ...(inside === undefined ? [] : [{ claim: inside, expected: environment ?? "missing" }]),
    ]
    const here = regionInEnvironment(space, environment)
    return deny
      .filter(({ grants }) => grants === "all" && meets(here, reached))
      .map(({ name, file, line, conditions }) => ({ name, file, line, conditions: [...about, ...written(conditions)] }))
  })
}

const environmentRegion = (space: Space, environment: string | undefined): Region =>
  environment === undefined ? everything(space) : regionInEnvironment(space, environment)

/** The fields asked for, as boundary entries: each admits the grants with a matching text. */
function wishesOf({ fields = [] }: WhoCanQuery, connection: string): readonly BoundaryEntry[] {
  return fields.map(({ key, pattern }) => {
    const [name = key, ...path] = key.split(".")
    return { connection, line: 0, fields: new Map([[name, ceilingAt(path, pattern)]]) }
  })
}

function ceilingAt([key, ...rest]: readonly string[], pattern: Pattern): FieldCeiling {
  if (key === undefined) return { kind: "text", patterns: [pattern] }
  return { kind: "map", entries: new Map([[key, ceilingAt(rest, pattern)]]) }
}

/** An entry in words: `role arn:...:role/ci/*`. A field that the entry leaves out is not restricted. */
function entryWords({ fields }: BoundaryEntry): string {
  const words = [...fields].flatMap(([name, ceiling]) => fieldWords(name, ceiling))
  return words.length === 0 ? "anything" : words.join(", ")
}

function fieldWords(name: string, ceiling: FieldCeiling): readonly string[] {
  if (ceiling.kind === "text") return [`${name} ${ceiling.patterns.map(({ source }) => source).join(" or ")}`]
  return [...ceiling.entries].flatMap(([key, inner]) => fieldWords(`${name}.${key}`, inner))
}
