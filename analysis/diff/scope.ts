import { formatDuration } from "../../broker/core/duration.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { Result } from "../../broker/core/result.ts"
import { differenceOf, needWords, resourceOf } from "../reach/grant-words.ts"
import { type Offer, offersOf } from "../reach/offers.ts"
import { firstThat, getsMore } from "../reach/sample-job.ts"
import { isEmpty, type Region, subtract, union } from "../regions/region.ts"
import type { AxisMemo, Space } from "../regions/space.ts"
import { attempt, type Must, type TooComplex } from "../regions/too-complex.ts"
import { casesOf, type Vocabulary } from "../regions/words.ts"
import { type Scope, subjectOf } from "../scopes/scope.ts"
import { regionOfTarget, type ScopePart, spaceFor } from "../scopes/scope-space.ts"
import { type Survey, surveyOf } from "../scopes/survey.ts"
import { speakersOf, vocabularyOf } from "../scopes/vocabulary.ts"
import { type Surplus, surplusOf } from "./compare.ts"
import type { DiffContext, PolicyChange } from "./model.ts"
import { placeOf, type Surveys } from "./place.ts"
import type { ScopePair } from "./scopes.ts"

/** Inputs for comparing scopes, besides the scopes themselves. */
export interface ScopeComparison {
  readonly old: PolicySet
  readonly next: PolicySet
  readonly context: DiffContext
  readonly memo: AxisMemo
  /** Scopes with patterns whose jobs were already compared. */
  readonly done: readonly Scope[]
}

/** Compares what two sets give in one scope. The jobs of both are in one space, so the comparison is exact, not sampled. */
export function changesIn(pair: ScopePair, comparison: ScopeComparison): readonly PolicyChange[] {
  const changes = attempt((must) => {
    const parts = [pair.old, pair.next].filter((part) => part !== null)
    const space = must(spaceFor(parts, comparison.memo))
    const survey = (part: ScopePart | null) => (part === null ? null : must(surveyOf(part, space)))
    const surveys = { old: survey(pair.old), next: survey(pair.next) }
    return pair.names.flatMap((name) => {
      const changed = changesOf(name, surveys, space, { ...comparison, pair })
      return changed.ok ? changed.value : [unknowable(pair, name, changed.fault)]
    })
  })
  return changes.ok ? changes.value : [unknowable(pair, null, changes.fault)]
}

function changesOf(
  name: string,
  surveys: Surveys,
  space: Space,
  { pair, ...comparison }: ScopeComparison & { readonly pair: ScopePair },
): Result<readonly PolicyChange[], TooComplex> {
  return attempt((must) => {
    const away = must(
      union(
        space,
        comparison.done.map(({ target }) => regionOfTarget(space, target)),
      ),
    )
    const here = (survey: Survey | null) =>
      survey === null
        ? []
        : must(offersOf(survey, name)).map((offer) => ({
            ...offer,
            sure: must(subtract(offer.sure, away)),
            possible: must(subtract(offer.possible, away)),
          }))
    const [before, after] = [here(surveys.old), here(surveys.next)]
    const wider = surplusOf({ more: after, less: before, space, surely: false }, must)
    const narrower = surplusOf({ more: before, less: after, space, surely: true }, must)
    if (wider.length + narrower.length === 0) return []
    const base = must(
      union(
        space,
        [surveys.old, surveys.next].flatMap((survey) => (survey ? [survey.all] : [])),
      ),
    )
    const reportContext = {
      name,
      surveys,
      comparison,
      must,
      vocabulary: vocabularyOf(partsOf(pair).map(speakersOf), space.family),
      base,
    }
    return [
      ...wider.map((surplus) => changeFor("wider", surplus, reportContext)),
      ...narrower.map((surplus) => changeFor("narrower", surplus, reportContext)),
    ]
  })
}

interface ReportContext {
  readonly name: string
  readonly surveys: Surveys
  readonly comparison: ScopeComparison
  readonly vocabulary: Vocabulary
  readonly base: Region
  readonly must: Must
}

const partsOf = ({ old, next }: ScopePair): readonly ScopePart[] => [next, old].filter((part) => part !== null)

function changeFor(
  direction: PolicyChange["direction"],
  surplus: Surplus<Offer>,
  reportContext: ReportContext,
): PolicyChange {
  const { name, surveys, comparison, must, vocabulary, base } = reportContext
  const { old, next, context } = comparison
  const { region, offer, kind } = surplus
  const [more, less] = direction === "wider" ? [next, old] : [old, next]
  const { scope } = offer.reach
  const example = firstThat(region, (witness) =>
    getsMore(more, less, { witness, issuer: scope.issuer.name, grant: name }),
  )
  return {
    direction,
    kind,
    says: sayingOf(direction, surplus, name, context),
    subjects: [subjectOf(scope)],
    grant: name,
    connection: offer.reach.grant.connection.name,
    cases: must(casesOf(region, base, vocabulary)),
    example,
    proven: example !== null || direction === "narrower",
    place: placeOf(direction, surplus, surveys, name),
    regions: [region],
  }
}

function sayingOf(
  direction: PolicyChange["direction"],
  surplus: Surplus<Offer>,
  name: string,
  { providers }: DiffContext,
) {
  const { grant, maxTtlSeconds } = surplus.offer.reach
  const wider = direction === "wider"
  if (surplus.kind === "lifetime") {
    const [longer, shorter] = [formatDuration(surplus.seconds), formatDuration(surplus.otherSeconds)]
    return wider
      ? `can have ${name} for ${longer} instead of ${shorter}`
      : `can have ${name} for ${shorter} only, instead of ${longer}`
  }
  if (surplus.kind === "protection") {
    const words = needWords(surplus.demand)
    return wider ? `no longer needs ${words} for ${name}` : `needs ${words} for ${name}`
  }
  const [instead] = surplus.instead
  if (instead !== undefined) {
    const difference = differenceOf(grant, instead.reach.grant)
    return wider
      ? `gets ${name} with ${difference}`
      : `no longer gets ${name} with ${difference.replaceAll(" instead of ", ", now ")}`
  }
  const what = `${name}: ${resourceOf(grant, providers)} through ${grant.connection.name}`
  const unproven = isEmpty(surplus.offer.sure) ? "perhaps " : ""
  return wider
    ? `can ${unproven}get ${what}, for ${formatDuration(maxTtlSeconds || grant.ttlSeconds)}`
    : `can no longer get ${what}`
}

/** Counts as giving more: an unknown result must never look safe. */
function unknowable(pair: ScopePair, name: string | null, { reason }: TooComplex): PolicyChange {
  const part = pair.next ?? pair.old
  if (part === null) throw new TypeError("a pair of no scopes")
  const [policy] = part.scope.policies
  const grant = name === null ? undefined : part.scope.policies.flatMap(({ grants }) => grants.get(name) ?? [])[0]
  return {
    direction: "wider",
    kind: "too-complex",
    says: `may get more${name === null ? "" : ` of ${name}`}, which cannot be ruled out, because ${reason}`,
    subjects: [subjectOf(part.scope)],
    grant: name,
    connection: null,
    cases: [],
    example: null,
    proven: false,
    place: {
      set: pair.next ? "new" : "old",
      file: grant?.file ?? policy?.file ?? "daypass.yaml",
      line: grant?.line ?? 1,
    },
    regions: [],
  }
}
