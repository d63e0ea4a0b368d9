import { formatDuration } from "../../broker/core/duration.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"
import type { Result } from "../../broker/core/result.ts"
import { needWords } from "../reach/grant-words.ts"
import type { Comparable } from "../reach/offers.ts"
import { ownPoliciesSpace, type Potential, potentialsOf, type Side, type Sides, sideOf } from "../reach/own-policies.ts"
import { firstThat } from "../reach/sample-job.ts"
import { singleTexts } from "../reach/single-texts.ts"
import { everything, union } from "../regions/region.ts"
import type { Space } from "../regions/space.ts"
import { attempt, type Must, type TooComplex } from "../regions/too-complex.ts"
import { casesOf, type Phrase, type Vocabulary } from "../regions/words.ts"
import { type FieldAxes, fieldAxesOf, fieldOfClaim, isBeyond, isFieldClaim } from "../scopes/field-axes.ts"
import { meaningOf, meaningOfBoundary, sorted, stable } from "../scopes/meaning.ts"
import { allJobsOf, type ChangeSubject, type Scope, subjectOf } from "../scopes/scope.ts"
import { vocabularyOf } from "../scopes/vocabulary.ts"
import { type Surplus, surplusOf } from "./compare.ts"
import type { ChangePlace, DiffContext, PolicyChange } from "./model.ts"
import { couldGetMore } from "./sample-own-policy.ts"
import type { ScopePair } from "./scopes.ts"

/**
 * Compares what policies that repositories keep for themselves could give. These files are not in the folder, so the
 * ceilings over them are compared, for every grant that such a policy could define. The denies and environment demands of
 * the organisation's own policies count as well.
 */
export function ceilingChanges(
  old: PolicySet,
  next: PolicySet,
  pairs: readonly ScopePair[],
  context: DiffContext,
): readonly PolicyChange[] {
  const issuers = new Set([...old.organisation.issuers.keys(), ...next.organisation.issuers.keys()])
  return [...issuers].flatMap((issuer) => {
    const sides = { old: sideOf(old, issuer, null), next: sideOf(next, issuer, null) }
    if (!sides.old.isOpen && !sides.next.isOpen) return []
    const anywhere = meaningOfSide(sides.old) === meaningOfSide(sides.next) ? [] : compared(sides, null, context)
    const exact = pairs.filter(
      ({ old: before, next: after, restrictsOtherwise }) =>
        restrictsOtherwise &&
        [before, after].some((part) => part?.scope.target.kind === "unit" && part.scope.issuer.name === issuer),
    )
    return [
      ...anywhere,
      ...exact.flatMap((pair) => {
        const scope = (pair.next ?? pair.old)?.scope
        if (scope === undefined) return []
        const [before, after] = [pair.old?.scope ?? null, pair.next?.scope ?? null]
        return compared({ old: sideOf(old, issuer, before), next: sideOf(next, issuer, after) }, scope, context)
      }),
    ]
  })
}

/** A name that no grant has. A policy's meaning for it is therefore what the policy says about every grant. */
const ANY_GRANT = "\n"

function meaningOfSide({ set, issuer, isOpen, boundaries, restricting }: Side): string {
  if (!isOpen) return ""
  const used = new Set(boundaries.flatMap(({ allow }) => allow.map(({ connection }) => connection)))
  const limits = [...set.organisation.connections.values()].filter(({ name }) => used.has(name))
  return stable([
    [...(issuer?.owners ?? [])].sort(),
    boundaries.map(meaningOfBoundary).sort(),
    sorted(restricting.flatMap((policy) => meaningOf(policy, ANY_GRANT) ?? [])),
    sorted(limits.map(({ name, provider, maxTtlSeconds }) => stable([name, provider, maxTtlSeconds]))),
  ])
}

function compared(sides: Sides, scope: Scope | null, context: DiffContext): readonly PolicyChange[] {
  const entries = (side: Side) => (side.isOpen ? side.boundaries.flatMap(({ allow }) => allow) : [])
  const all = [...entries(sides.old), ...entries(sides.next)]
  return [...new Set(all.map(({ connection }) => connection))].flatMap((name) => {
    const own = all.filter(({ connection }) => connection === name)
    const connection =
      sides.next.set.organisation.connections.get(name) ?? sides.old.set.organisation.connections.get(name)
    const isList = (field: string) => !singleTexts(connection, context.providers).has(field)
    const found = attempt((must) => {
      const axes = fieldAxesOf(own, isList)
      const space = must(ownPoliciesSpace(sides, axes, scope))
      const offers = {
        old: potentialsOf(sides.old, name, space, axes, context.providers, must),
        next: potentialsOf(sides.next, name, space, axes, context.providers, must),
      }
      const one = (potentials: readonly Potential[]) => together(potentials, space, must)
      const wider = surplusOf<Comparable>({ more: offers.next, less: one(offers.old), space, surely: false }, must)
      const narrower = surplusOf<Comparable>({ more: offers.old, less: one(offers.next), space, surely: true }, must)
      const reportContext = { name, sides, axes, scope, space, must }
      const changes = [
        ...wider.map((surplus) => changeFor("wider", surplus, reportContext)),
        ...narrower.map((surplus) => changeFor("narrower", surplus, reportContext)),
      ]
      const isSame =
        stable(entries(sides.old).map((entry) => [...entry.fields.keys()])) ===
        stable(entries(sides.next).map((entry) => [...entry.fields.keys()]))
      if (changes.length === 0 && isBeyond(own, isList) && !isSame) return must(tooManyEntries)
      return changes
    })
    return found.ok ? found.value : [unknowable(name, sides, scope, found.fault)]
  })
}

const tooManyEntries: Result<never, TooComplex> = {
  ok: false,
  fault: { kind: "too_complex", reason: "too many boundary entries allow different values for one list" },
}

/** All entries combined into one: the ceiling gives what any of its entries gives. */
function together(potentials: readonly Potential[], space: Space, must: Must): readonly Comparable[] {
  const [first] = potentials
  if (first === undefined) return []
  const region = must(
    union(
      space,
      potentials.map(({ sure }) => sure),
    ),
  )
  return [
    {
      content: first.content,
      sure: region,
      possible: region,
      lifetimes: potentials.flatMap(({ lifetimes }) => lifetimes),
      demands: first.demands,
    },
  ]
}

interface ReportContext {
  readonly name: string
  readonly sides: Sides
  readonly axes: FieldAxes
  readonly scope: Scope | null
  readonly space: Space
  readonly must: Must
}

function changeFor(
  direction: PolicyChange["direction"],
  surplus: Surplus<Comparable>,
  reportContext: ReportContext,
): PolicyChange {
  const { name, sides, axes, scope, space, must } = reportContext
  const offer = surplus.offer as Potential
  const { region } = surplus
  const [more, less] = direction === "wider" ? [sides.next, sides.old] : [sides.old, sides.next]
  const example = firstThat(region, (witness) => couldGetMore(more, less, witness, offer, axes))
  const cases = must(casesOf(region, everything(space), wordsOf(sides, axes, space))).map((phrases) =>
    phrases.map(({ claim, says }): Phrase => ({ claim: isFieldClaim(claim) ? fieldOfClaim(claim) : claim, says })),
  )
  return {
    direction,
    kind: "own-policies",
    says: sayingOf(direction, surplus, name, offer),
    subjects: [subjectFor(sides, scope)],
    grant: null,
    connection: name,
    cases,
    example,
    proven: example !== null || direction === "narrower",
    place: placeOf(offer, sides, direction),
    regions: [region],
  }
}

function sayingOf(
  direction: PolicyChange["direction"],
  surplus: Surplus<Comparable>,
  name: string,
  { lifetimes }: Potential,
): string {
  const own = "by a policy of their own"
  const wider = direction === "wider"
  if (surplus.kind === "lifetime") {
    const [longer, shorter] = [formatDuration(surplus.seconds), formatDuration(surplus.otherSeconds)]
    return wider
      ? `could get grants of ${name} ${own} for ${longer} instead of ${shorter}`
      : `could get grants of ${name} ${own} for ${shorter} only, instead of ${longer}`
  }
  if (surplus.kind === "protection") {
    const words = needWords(surplus.demand)
    return wider
      ? `could get grants of ${name} ${own} without ${words}`
      : `need ${words} to get grants of ${name} ${own}`
  }
  const longest = Math.max(...lifetimes.map(({ seconds }) => seconds))
  const ttl = Number.isFinite(longest) ? `, for ${formatDuration(longest)}` : ""
  return wider ? `could get grants of ${name} ${own}${ttl}` : `could no longer get grants of ${name} ${own}`
}

function placeOf({ boundary, entry }: Potential, { next }: Sides, direction: PolicyChange["direction"]): ChangePlace {
  if (direction === "wider") return { set: "new", file: boundary.file, line: entry.line }
  const now = next.boundaries.find(({ name }) => name === boundary.name)
  return now ? { set: "new", file: now.file, line: now.line } : { set: "old", file: boundary.file, line: entry.line }
}

function subjectFor({ old, next }: Sides, scope: Scope | null): ChangeSubject {
  if (scope) return subjectOf(scope)
  return allJobsOf(next.issuer ?? old.issuer)
}

function wordsOf({ old, next }: Sides, axes: FieldAxes, { family }: Space): Vocabulary {
  const words = new Map<string, readonly Pattern[]>(
    vocabularyOf(
      [old, next].map(({ boundaries, restricting, scope }) => ({
        boundaries,
        policies: restricting,
        texts: scope?.texts ?? new Map(),
      })),
      family,
    ),
  )
  const fields = [old, next].flatMap(({ boundaries }) =>
    boundaries.flatMap(({ allow }) => allow.flatMap((entry) => [...entry.fields.values()])),
  )
  const patterns: Pattern[] = []
  const collect = (ceiling: (typeof fields)[number]): void => {
    if (ceiling.kind === "text") patterns.push(...ceiling.patterns)
    else for (const inner of ceiling.entries.values()) collect(inner)
  }
  for (const field of fields) collect(field)
  for (const claim of axes.languages.keys()) words.set(claim, patterns)
  return words
}

function unknowable(name: string, sides: Sides, scope: Scope | null, { reason }: TooComplex): PolicyChange {
  return {
    direction: "wider",
    kind: "too-complex",
    says: `may get more of ${name} by policies of their own, which cannot be ruled out, because ${reason}`,
    subjects: [subjectFor(sides, scope)],
    grant: null,
    connection: name,
    cases: [],
    example: null,
    proven: false,
    place: { set: "new", file: ORGANISATION_FILE, line: 1 },
    regions: [],
  }
}
