import { isCautionClaim } from "../../broker/core/families/cautions.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { shortNameGap } from "../../broker/core/families/units.ts"
import { shortName } from "../../broker/core/identity.ts"
import type { Boundary, BoundaryEntry, Grant } from "../../broker/core/policy/model.ts"
import { matchPattern } from "../../broker/core/policy/pattern.ts"
import { conflictWithJob, isInsertable, type TemplatePart } from "../../broker/core/policy/template.ts"
import { ok, type Result } from "../../broker/core/result.ts"
import { escaping } from "../regions/atoms.ts"
import {
  between,
  common,
  followedBy,
  INSERTABLE,
  type Language,
  languageOfPattern,
  languageOfText,
} from "../regions/language.ts"
import { boxRegion, everything, intersect, nothing, type Region } from "../regions/region.ts"
import { allValues, type Space, valuesThat } from "../regions/space.ts"
import { attempt, type TooComplex } from "../regions/too-complex.ts"
import { demandsOf, type TextDemand } from "./field-demands.ts"
import { ownersIn, type Scope } from "./scope.ts"
import { familyOf, nameClaim, ownerIdClaim } from "./unit-claims.ts"

/** The jobs whose filled-in grant an entry admits: certainly, and possibly. Equal unless several gaps of one text are open. */
export interface Containment {
  readonly sure: Region
  readonly possible: Region
}

/**
 * The languages that a space must distinguish for the claims in a grant's gaps: what may be filled in at all, and for each
 * text and each pattern that it must match, what must be filled in. With these in the space, the result for a text with one
 * open gap is exact: each value of the claim makes one text, and the engine decides whether it matches.
 */
export function templateLanguages(
  grant: Grant,
  boundaries: readonly Boundary[],
  scope: Scope,
): readonly (readonly [claim: string, language: Language])[] {
  const { template } = grant
  if (template === undefined) return []
  const family = familyOf(scope.issuer)
  const insertable = template.claims.map((claim) => [claim, INSERTABLE] as const)
  const quotients = boundaries.flatMap(({ allow }) =>
    allow.flatMap((entry) => {
      const demands = demandsOf(entry, grant)
      return typeof demands === "string" ? [] : demands.flatMap((demand) => quotientsOf(demand, scope))
    }),
  )
  return [...insertable, ...quotients].flatMap(([claim, language]): (readonly [string, Language])[] =>
    claim === shortNameGap(family.unit)
      ? ownersIn(scope).map((owner) => [nameClaim(family), after(owner, language)])
      : [[claim, language]],
  )
}

/** The names whose part after the last slash is in a language. */
const after = (owner: string, language: Language): Language =>
  owner === "" ? language : followedBy(languageOfText(`${owner}/`), language)

/** The jobs whose claims can fill the grant's gaps. */
export function regionOfFillable(space: Space, { template }: Grant): Region {
  return boxRegion(space, (axis) => {
    const gaps = (template?.claims ?? []).filter(
      (gap) => axisOf(gap, space.family) === axis.claim && !isCautionClaim(gap),
    )
    if (gaps.length === 0) return allValues(axis)
    return valuesThat(axis, (claims) =>
      gaps.every((gap) => {
        const value = claims[axis.claim]
        return typeof value === "string" && isInsertable(insertedBy(gap, value, space.family))
      }),
    )
  })
}

/** The jobs for which the provider accepts the filled-in grant; all jobs if the grant, as written, has no gaps. */
export function regionOfFilled(space: Space, grant: Grant, { issuer }: Scope): Region {
  const claim = ownerIdClaim(space.family)
  const isTaken = (ownerId: string) => conflictWithJob(grant, { ownerId, issuerUrl: issuer.url }) === null
  if (claim === undefined) return isTaken(issuer.url) ? everything(space) : nothing(space)
  return boxRegion(space, (axis) => {
    if (axis.claim !== claim) return allValues(axis)
    return valuesThat(axis, ({ [claim]: ownerId }) => isTaken(String(ownerId ?? "")))
  })
}

/** The jobs whose filled-in grant an entry of a boundary admits. */
export function regionOfEntry(
  space: Space,
  entry: BoundaryEntry,
  grant: Grant,
  scope: Scope,
): Result<Containment, TooComplex> {
  const [all, none] = [everything(space), nothing(space)]
  const demands = demandsOf(entry, grant)
  if (demands === "never") return ok({ sure: none, possible: none })
  if (demands === "unknown") return ok({ sure: none, possible: all })
  return attempt((must) => {
    const each = demands.map((demand) => must(regionOfDemand(space, demand, scope)))
    const inAll = (regions: readonly Region[]) => regions.reduce((one, other) => must(intersect(one, other)), all)
    return { sure: inAll(each.map(({ sure }) => sure)), possible: inAll(each.map(({ possible }) => possible)) }
  })
}

function regionOfDemand(space: Space, demand: TextDemand, scope: Scope): Result<Containment, TooComplex> {
  const { patterns } = demand
  const parts = closed(demand.parts, scope)
  const [gap, ...more] = parts.filter((part) => "claim" in part)
  if (more.length > 0 || (gap !== undefined && isCautionClaim(gap.claim))) {
    // Several gaps are open, or one that several claims fill: whether all or no possible texts match can be decided, but not which claims give which text.
    const escaped = escaping(languageOfParts(parts, scope), patterns.map(languageOfPattern))
    if (!escaped.ok) return escaped
    const sure = escaped.value === null ? everything(space) : nothing(space)
    return ok({ sure, possible: everything(space) })
  }
  const matches = (text: string) => patterns.some((pattern) => matchPattern(pattern, text))
  if (gap === undefined) {
    const region = matches(textOf(parts, "")) ? everything(space) : nothing(space)
    return ok({ sure: region, possible: region })
  }
  const filling = axisOf(gap.claim, space.family)
  const region = boxRegion(space, (axis) => {
    if (axis.claim !== filling) return allValues(axis)
    return valuesThat(axis, ({ [filling]: value }) => {
      return typeof value === "string" && matches(textOf(parts, insertedBy(gap.claim, value, space.family)))
    })
  })
  return ok({ sure: region, possible: region })
}

/** For a text with one open gap: the values of the gap that make the text match, by pattern. */
function quotientsOf(demand: TextDemand, scope: Scope): readonly (readonly [string, Language])[] {
  const parts = closed(demand.parts, scope)
  const at = parts.findIndex((part) => "claim" in part)
  const gap = parts[at]
  if (gap === undefined || !("claim" in gap) || parts.slice(at + 1).some((part) => "claim" in part)) return []
  const [before, after] = [textOf(parts.slice(0, at), ""), textOf(parts.slice(at + 1), "")]
  return demand.patterns.map((pattern) => [gap.claim, between(before, languageOfPattern(pattern), after)])
}

/** The text with each gap filled whose claim has only one value in the scope. */
function closed(parts: readonly TemplatePart[], { pinned, issuer }: Scope): readonly TemplatePart[] {
  const family = familyOf(issuer)
  return parts.map((part) => {
    if (!("claim" in part)) return part
    const value = pinned.get(axisOf(part.claim, family))
    return value === undefined ? part : { text: insertedBy(part.claim, value, family) }
  })
}

const textOf = (parts: readonly TemplatePart[], value: string): string =>
  parts.map((part) => ("claim" in part ? value : part.text)).join("")

function languageOfParts(parts: readonly TemplatePart[], { target, issuer }: Scope): Language {
  const short = shortNameGap(familyOf(issuer).unit)
  const names = target.kind === "owner" ? common(languageOfPattern(target.names), INSERTABLE) : INSERTABLE
  const languages = parts.map((part) => {
    if (!("claim" in part)) return languageOfText(part.text)
    return part.claim === short ? names : INSERTABLE
  })
  return languages.reduce(followedBy, languageOfText(""))
}

/** The claim that fills a gap; see `insertedBy` for the part of it that is inserted. */
export const axisOf = (gap: string, family: FamilyFacts): string =>
  gap === shortNameGap(family.unit) ? nameClaim(family) : gap
const insertedBy = (gap: string, value: string, family: FamilyFacts): string =>
  gap === shortNameGap(family.unit) ? shortName(value) : value
