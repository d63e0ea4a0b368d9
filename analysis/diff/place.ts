import type { Boundary, Grant, Rule } from "../../broker/core/policy/model.ts"
import type { Offer } from "../reach/offers.ts"
import { meets, type Region } from "../regions/region.ts"
import { meaningOfBoundary, meaningOfCondition, meaningOfTarget, stable } from "../scopes/meaning.ts"
import { type RuleRegion, rulesFor, type Survey } from "../scopes/survey.ts"
import type { Surplus } from "./compare.ts"
import type { ChangePlace, PolicyChange } from "./model.ts"

/** One scope in both sets, surveyed in one space. */
export interface Surveys {
  readonly old: Survey | null
  readonly next: Survey | null
}

/** The line that makes the difference: the changed rule, boundary or grant that best explains the region. */
export function placeOf(
  direction: PolicyChange["direction"],
  { offer, region, kind }: Surplus<Offer>,
  surveys: Surveys,
  name: string,
): ChangePlace {
  const { old, next } = surveys
  const rule = (mine: Survey | null, theirs: Survey | null, kind: Rule["kind"]) =>
    changedRule(mine, theirs, name, kind, region)
  const grantNow = next?.scope.policies.flatMap(({ grants }) => grants.get(name) ?? [])[0]
  const isWider = direction === "wider"
  const gone = isWider ? rule(old, next, "deny") : rule(old, next, "allow")
  const added = isWider ? rule(next, old, "allow") : rule(next, old, "deny")
  const boundary = changedBoundary(next, old, kind)
  const formerBoundary = changedBoundary(old, next, kind)
  const isRule = kind === "grant"
  const candidates: readonly (ChangePlace | null | undefined)[] = [
    isRule && isWider && gone ? (sameRule(next, gone) ?? placed("old", gone)) : null,
    isRule && added ? placed("new", added) : null,
    isRule && gone ? (sameRule(next, gone) ?? placed("old", gone)) : null,
    kind === "lifetime" && grantNow && otherTtl(old, grantNow) ? placed("new", grantNow) : null,
    boundary && placed("new", boundary),
    formerBoundary && placed("old", formerBoundary),
    isWider ? placed("new", offer.reach.grant) : null,
    grantNow && placed("new", grantNow),
  ]
  return candidates.find((place) => place !== null && place !== undefined) ?? placed("old", offer.reach.grant)
}

interface Line {
  readonly file: string
  readonly line: number
}

const placed = (set: ChangePlace["set"], { file, line }: Line): ChangePlace => ({ set, file, line })

/** A rule that applies in the region and that the other side does not have. */
function changedRule(
  mine: Survey | null,
  theirs: Survey | null,
  name: string,
  kind: Rule["kind"],
  region: Region,
): Rule | null {
  if (mine === null) return null
  const meaning = ({ policy, rule }: RuleRegion) =>
    stable([meaningOfTarget(policy.target), rule.conditions.map(meaningOfCondition).sort()])
  const known = new Set(theirs === null ? [] : rulesFor(theirs, kind, name).map(meaning))
  const found = rulesFor(mine, kind, name).find((one) => !known.has(meaning(one)) && meets(one.region, region))
  return found?.rule ?? null
}

/** The place of the rule with the same name in the same file of the new set. */
function sameRule(survey: Survey | null, { kind, name, file }: Rule): ChangePlace | null {
  const found = survey?.rules.find(({ rule }) => rule.kind === kind && rule.name === name && rule.file === file)
  return found ? placed("new", found.rule) : null
}

/** Whether the old definition of a grant has another lifetime. */
function otherTtl(old: Survey | null, { name, ttlSeconds }: Grant): boolean {
  const before = old?.scope.policies.flatMap(({ grants }) => grants.get(name) ?? []) ?? []
  return before.some((grant) => grant.ttlSeconds !== ttlSeconds)
}

/** A boundary that differs from the other side's in something that can cause a change of this kind. */
function changedBoundary(mine: Survey | null, theirs: Survey | null, kind: Surplus<Offer>["kind"]): Boundary | null {
  const facet = ({ name, maxTtlSeconds, protectedEnvironment, ...rest }: Boundary) => {
    if (kind === "lifetime") return stable([name, maxTtlSeconds])
    if (kind === "protection") return stable([name, protectedEnvironment])
    return meaningOfBoundary({ name, ...rest })
  }
  const over = (survey: Survey | null) => (survey?.ceiling ?? []).map(({ boundary }) => boundary)
  const known = new Set(over(theirs).map(facet))
  return over(mine).find((boundary) => !known.has(facet(boundary))) ?? null
}
