import type { Policy, Rule } from "../../broker/core/policy/model.ts"
import type { Result } from "../../broker/core/result.ts"
import { type CeilingRefusal, grantNamesOf, type Reach, reachesBy } from "../reach/reach.ts"
import { intersect, isEmpty, isWithin, type Region } from "../regions/region.ts"
import type { AxisMemo, Space } from "../regions/space.ts"
import { attempt, type Must, type TooComplex } from "../regions/too-complex.ts"
import { type ScopePart, spaceFor } from "../scopes/scope-space.ts"
import { type RuleRegion, rulesFor, type Survey, surveyOf } from "../scopes/survey.ts"

/** What the analysis found about one scope. Policies and rules are places in its lists, so that it serves scopes alike. */
export interface ScopeFindings {
  readonly space: Space
  readonly grants: readonly GrantFinding[]
  /** Allows that match a job. */
  readonly allows: readonly AllowFinding[]
}

/** About a grant of one policy of the scope. Its members mean what those of a `GrantStanding` mean. */
export interface GrantFinding {
  readonly policy: number
  readonly name: string
  readonly isNamed: boolean
  readonly isMatched: boolean
  readonly isAdmitted: boolean
  readonly isReached: boolean
  readonly isUnproven: boolean
  readonly isBelow: boolean
  readonly isFree: boolean
  readonly refusals: readonly CeilingRefusal[]
}

/** About an allow and one of its grants. */
export interface AllowFinding {
  readonly rule: RulePlace
  readonly name: string
  readonly isDenied: boolean
  readonly denies: readonly RulePlace[]
}

/** Indices of a policy among those of its scope, and of a rule among those of the policy: its allows, then its denies. */
export type RulePlace = readonly [policy: number, rule: number]

const rulesOf = ({ allow, deny }: Policy): readonly Rule[] => [...allow, ...deny]

export function ruleAt(policies: readonly Policy[], [policy, rule]: RulePlace): Rule | undefined {
  const found = policies[policy]
  return found && rulesOf(found)[rule]
}

/** Analyses a scope as a whole or not at all: a partial answer would look like a complete one. Dead rules match nothing. */
export function findingsOf(
  part: ScopePart,
  dead: ReadonlySet<Rule>,
  memo: AxisMemo,
): Result<ScopeFindings, TooComplex> {
  return attempt((must) => {
    const { policies } = part.scope
    const space = must(spaceFor([part], memo))
    const whole = must(surveyOf(part, space))
    const survey = { ...whole, rules: whole.rules.filter(({ rule }) => !dead.has(rule)) }
    const places = new Map(
      policies.flatMap((policy, at) => rulesOf(policy).map((rule, index): [Rule, RulePlace] => [rule, [at, index]])),
    )
    const grants: GrantFinding[] = []
    const allows: AllowFinding[] = []
    for (const name of grantNamesOf(part.scope)) {
      for (const reach of must(reachesBy(survey, name))) {
        grants.push({ policy: policies.indexOf(reach.policy), name, ...reachFinding(reach, { survey, whole }, must) })
      }
      for (const allow of rulesFor(survey, "allow", name)) {
        const rule = places.get(allow.rule)
        if (rule === undefined || isEmpty(allow.region)) continue
        const { isDenied, denies } = deniesOf(allow, name, survey)
        allows.push({
          rule,
          name,
          isDenied,
          denies: denies.flatMap((deny) => [places.get(deny)].flatMap((place) => (place ? [place] : []))),
        })
      }
    }
    return { space, grants, allows }
  })
}

function reachFinding(
  { grant, admitted, inside, unproven, refusals }: Reach,
  { survey, whole }: { readonly survey: Survey; readonly whole: Survey },
  must: Must,
): Omit<GrantFinding, "policy" | "name"> {
  return {
    isNamed: rulesFor(whole, "allow", grant.name).length > 0,
    isMatched: rulesFor(survey, "allow", grant.name).some(({ region }) => !isEmpty(region)),
    isAdmitted: !isEmpty(admitted),
    isReached: !isEmpty(inside) || !isEmpty(unproven),
    isUnproven: !isEmpty(unproven),
    isBelow: !must(isWithin(admitted, survey.free)),
    isFree: !isEmpty(must(intersect(admitted, survey.free))),
    refusals,
  }
}

/** Whether denies refuse every job that an allow matches, and which of them refuse at least one. */
function deniesOf(
  { region }: RuleRegion,
  grant: string,
  survey: Survey,
): { readonly isDenied: boolean; readonly denies: readonly Rule[] } {
  const denies = rulesFor(survey, "deny", grant)
  const whole = denies.find((deny) => holds(deny.region, region))
  if (whole !== undefined) return { isDenied: true, denies: [whole.rule] }
  const meeting = denies.filter((deny) => {
    const common = intersect(deny.region, region)
    return !common.ok || !isEmpty(common.value)
  })
  const all = { space: survey.space, boxes: meeting.flatMap((deny) => deny.region.boxes) }
  return { isDenied: meeting.length > 1 && holds(all, region), denies: meeting.map(({ rule }) => rule) }
}

const holds = (outer: Region, inner: Region): boolean => {
  const within = isWithin(inner, outer)
  return within.ok && within.value
}
