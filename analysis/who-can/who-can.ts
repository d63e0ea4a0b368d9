import { shortNameGap } from "../../broker/core/families/units.ts"
import { shortName } from "../../broker/core/identity.ts"
import type { Grant, PolicySet } from "../../broker/core/policy/model.ts"
import { templateParts } from "../../broker/core/policy/template.ts"
import { identityTokenSubject } from "../../broker/wire/subject.ts"
import { approvalWords, demandWords, resourceOf, writtenFields } from "../reach/grant-words.ts"
import { limitedTo } from "../reach/offers.ts"
import { type Reach, reachesBy } from "../reach/reach.ts"
import { decideSample, firstThat, PROTECTIONS } from "../reach/sample-job.ts"
import { intersect, isEmpty, meets, type Region, union, witness } from "../regions/region.ts"
import { type AxisMemo, axisMemo } from "../regions/space.ts"
import { attempt, type Must } from "../regions/too-complex.ts"
import type { BoundaryRegions } from "../scopes/ceiling-region.ts"
import { meaningOfTarget } from "../scopes/meaning.ts"
import { areComparable, TOO_MANY_PATTERNS } from "../scopes/pattern-pairs.ts"
import { regionOfConditions } from "../scopes/rule-region.ts"
import { allJobsOf, type ChangeSubject, type Scope, scopesOf, subjectOf } from "../scopes/scope.ts"
import { boundariesOver, spaceFor } from "../scopes/scope-space.ts"
import { type RuleRegion, rulesFor, type Survey, surveyOf } from "../scopes/survey.ts"
import { regionOfEntry } from "../scopes/template-region.ts"
import { familyOf, nameClaim } from "../scopes/unit-claims.ts"
import type { UnreachableRow, WhoCan, WhoCanContext, WhoCanQuery, WhoCanRow, WrittenBoundary } from "./model.ts"
import { whoCanByThemselves } from "./own-policies.ts"
import { mayBe, regionOfWishes, textsAt } from "./wishes.ts"
import { describeBoundary, probeOf, written } from "./words.ts"

/**
 * Finds all jobs that can get a grant. One row for each rule that gives it to a job, after exactly subtracting what denies
 * and boundaries refuse. For policies that repositories keep for themselves, one row for each boundary entry that allows it.
 *
 * A grant with gaps is found for the jobs that fill the gaps with the wanted text: so `role/svc-pay` has exact repositories.
 */
export function whoCan(set: PolicySet, query: WhoCanQuery, context: WhoCanContext): WhoCan {
  if (!areComparable(set.policies)) {
    const all = [...set.organisation.issuers.values()].map(allJobsOf)
    const unknown = all.map((subject) => ({ subject, grant: null, reason: TOO_MANY_PATTERNS }))
    return { ...NONE_FOUND, unknown }
  }
  const memo = axisMemo()
  const found: WhoCan[] = scopesOf(set)
    .filter(({ environment }) => query.environment === undefined || environment === query.environment)
    .map((scope) => whoCanIn(scope, set, query, context, memo))
  found.push(whoCanByThemselves(set, query, context))
  return {
    rows: found.flatMap(({ rows }) => rows),
    unreachable: found.flatMap(({ unreachable }) => unreachable),
    unknown: found.flatMap(({ unknown }) => unknown),
  }
}

const NONE_FOUND: WhoCan = { rows: [], unreachable: [], unknown: [] }

function whoCanIn(scope: Scope, set: PolicySet, query: WhoCanQuery, context: WhoCanContext, memo: AxisMemo): WhoCan {
  const isAsked = (grant: Grant) =>
    (query.grant ?? grant.name) === grant.name &&
    (query.connection ?? grant.connection.name) === grant.connection.name &&
    (query.fields ?? []).every((wish) => mayBe(grant, wish))
  const grants = scope.policies.flatMap((policy) => [...policy.grants.values()].filter(isAsked))
  const probe = probeOf(query, familyOf(scope.issuer), [...new Set(grants.map(({ connection }) => connection.name))])
  if (grants.length === 0 || boundariesOver(scope, [probe]).length === 0) return NONE_FOUND
  const { organisation } = set
  const found = attempt((must): WhoCan => {
    const boundaries = [...organisation.boundaries, probe]
    const space = must(spaceFor([{ scope, organisation: { boundaries } }], memo))
    const survey = must(surveyOf({ scope, organisation }, space))
    const wanted = regionOfConditions(space, probe.when, "allow")
    const reportContext: ReportContext = { set, survey, query, context, wanted, must }
    const reaches = [...new Set(grants.map(({ name }) => name))].flatMap((name) => must(reachesBy(survey, name)))
    const told = reaches.filter(({ grant }) => isAsked(grant)).flatMap((reach) => rowsOf(reach, reportContext))
    return {
      rows: told.flatMap((one) => ("why" in one ? [] : [one])),
      unreachable: told.flatMap((one) => ("why" in one ? [one] : [])),
      unknown: [],
    }
  })
  if (found.ok) return found.value
  return {
    ...NONE_FOUND,
    unknown: [{ subject: subjectOf(scope), grant: query.grant ?? null, reason: found.fault.reason }],
  }
}

interface ReportContext {
  readonly set: PolicySet
  readonly survey: Survey
  readonly query: WhoCanQuery
  readonly context: WhoCanContext
  readonly wanted: Region
  readonly must: Must
}

function rowsOf(reach: Reach, reportContext: ReportContext): readonly (WhoCanRow | UnreachableRow)[] {
  const { survey, query, wanted, must } = reportContext
  const { space, scope } = survey
  const { grant, inside, unproven, admitted } = reach
  const asked = must(intersect(wanted, regionOfWishes(query.fields ?? [], reach, space, must)))
  const possible = must(intersect(asked, must(union(space, [inside, unproven]))))
  // A rule is reported only in the scope of its own target.
  const isHere = ({ policy }: RuleRegion) =>
    scope.target.kind === "unit" || meaningOfTarget(policy.target) === meaningOfTarget(scope.target)
  const rules = rulesFor(survey, "allow", grant.name).filter(isHere)
  return rules.flatMap((allow): readonly (WhoCanRow | UnreachableRow)[] => {
    const speaksOf = must(intersect(allow.region, asked))
    if (isEmpty(speaksOf)) return []
    const place = placeOf(allow)
    const reached = must(intersect(speaksOf, possible))
    if (!isEmpty(reached)) return [rowOf(reach, allow, reached, reportContext)]
    const why = meets(admitted, speaksOf) ? "ceiling" : "denied"
    return [{ subject: subjectOf(scope), grant: grant.name, place, why }]
  })
}

function rowOf(reach: Reach, allow: RuleRegion, reached: Region, reportContext: ReportContext): WhoCanRow {
  const { set, survey, query, context, must } = reportContext
  const { scope, grant } = reach
  const example = firstThat(reached, (one) =>
    PROTECTIONS.some((protection) => {
      const asked = { witness: one, issuer: scope.issuer.name, grant: grant.name, protection }
      return decideSample(set, asked)?.outcome === "allow"
    }),
  )
  const limits = survey.ceiling.flatMap(({ boundary: { maxTtlSeconds: seconds }, restricts: region }) =>
    seconds === undefined ? [] : [{ seconds, region }],
  )
  const lifetimes = limitedTo(grant.ttlSeconds, limits, reached, must)
  const denies = rulesFor(survey, "deny", grant.name).filter(({ region }) => meets(region, allow.region))
  const own = [...survey.applies].flatMap(([{ protectedEnvironment: demand }, region]) =>
    demand && meets(region, reached) ? [demandWords(demand)] : [],
  )
  const subject = subjectOf(scope)
  return {
    subject,
    only: onlyOf(reached, reach, query, survey.all),
    grant: grant.name,
    sub: subOf(subject, grant.name),
    connection: grant.connection.name,
    resource: resourceOf(grant, context.providers),
    ttlSeconds: Math.max(...lifetimes.map(({ seconds }) => seconds)),
    conditions: written(allow.rule.conditions),
    unless: denies.map(({ rule }) => ({
      name: rule.name,
      file: rule.file,
      line: rule.line,
      conditions: written(rule.conditions),
    })),
    within: survey.ceiling.flatMap((one) => boundaryOf(one, reached, reach, must)),
    protectedEnvironment: [...new Set(own)],
    breakGlass: grant.breakGlass ? approvalWords(grant.breakGlass) : null,
    place: placeOf(allow),
    example: example ?? witness(reached) ?? {},
    proven: example !== null,
  }
}

function subOf({ issuer, unitKind, unitId, environment = null }: ChangeSubject, grant: string): string | null {
  return unitId === null ? null : identityTokenSubject({ issuer, unitKind, unitId, environment }, grant)
}

const placeOf = ({ rule: { name, file, line } }: RuleRegion) => ({ name, file, line })

/** A boundary that affects whether these jobs get the grant. */
function boundaryOf(
  { boundary, allows, restricts }: BoundaryRegions,
  reached: Region,
  reach: Reach,
  must: Must,
): readonly WrittenBoundary[] {
  const { scope, grant } = reach
  const isAllowing =
    meets(allows, reached) &&
    boundary.allow.some((entry) => {
      const { possible } = must(regionOfEntry(reached.space, entry, grant, scope))
      return meets(must(intersect(possible, allows)), reached)
    })
  return describeBoundary(boundary, { isAllowing, restricts, reached }, must)
}

/** The units of a pattern that can get the grant, when the question leaves only some of them. */
function onlyOf(
  region: Region,
  { scope, grant }: Reach,
  { fields = [], unit }: WhoCanQuery,
  all: Region,
): string | null {
  if (scope.target.kind === "unit") return null
  // All people: the conditions say which of them.
  if (unit === undefined && !familyOf(scope.issuer).patterns) return null
  const [names, every] = [unitsIn(region), unitsIn(all)]
  const [first] = names
  const gap = shortNameGap(familyOf(scope.issuer).unit)
  if (first === undefined || names.length === every.length) return null
  // A space has one example name for each group. A name is exact only if the question or the grant spells it out.
  const spelt =
    unit?.literal === first ||
    fields.some(({ key, pattern }) =>
      textsAt(writtenFields(grant), key.split(".")).some(
        (text) => mayHold(text, gap) && pattern.literal === filledWith(text, gap, shortName(first)),
      ),
    )
  return names.length === 1 && spelt ? first : `such as ${first}`
}

function unitsIn({ space, boxes }: Region): readonly string[] {
  const at = space.axes.findIndex(({ claim }) => claim === nameClaim(space.family))
  const values = space.axes[at]?.values ?? []
  return values.filter(
    (value, index) => value !== null && boxes.some((box) => ((box[at] ?? 0n) >> BigInt(index)) & 1n),
  ) as string[]
}

const mayHold = (text: string, gap: string): boolean =>
  templateParts(text).some((part) => "claim" in part && part.claim === gap)

/** The text with one gap filled. Another gap becomes a marker, so the text equals no real value. */
const filledWith = (text: string, gap: string, value: string): string =>
  templateParts(text)
    .map((part) => ("claim" in part ? (part.claim === gap ? value : `\u0000${part.claim}`) : part.text))
    .join("")
