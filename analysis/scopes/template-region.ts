import { repositoryName } from "../../broker/core/identity.ts"
import type { Boundary, BoundaryEntry, Grant } from "../../broker/core/policy/model.ts"
import { matchPattern } from "../../broker/core/policy/pattern.ts"
import { conflictWithJob, isInsertable, REPOSITORY_NAME, type TemplatePart } from "../../broker/core/policy/template.ts"
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
import { type Space, valuesThat } from "../regions/space.ts"
import { attempt, type TooComplex } from "../regions/too-complex.ts"
import { demandsOf, type TextDemand } from "./field-demands.ts"
import { ownersIn, type Scope } from "./scope.ts"

/** Whose jobs get a grant that an entry admits: for sure, and as far as anybody can tell. Equal unless too much is open. */
export interface Containment {
  readonly sure: Region
  readonly possible: Region
}

/**
 * What the claims in a grant's gaps must be told apart by: what may be filled in at all, and for each text and each
 * pattern over it, what has to be filled in for the text to match. With these in the space, the answer for a text with one
 * open gap is exact: each value of the claim makes a text, and the engine says whether it matches.
 */
export function templateLanguages(
  grant: Grant,
  boundaries: readonly Boundary[],
  scope: Scope,
): readonly (readonly [claim: string, language: Language])[] {
  const { template } = grant
  if (template === undefined) return []
  const insertable = template.claims.map((claim) => [claim, INSERTABLE] as const)
  const quotients = boundaries.flatMap(({ allow }) =>
    allow.flatMap((entry) => {
      const demands = demandsOf(entry, grant)
      return typeof demands === "string" ? [] : demands.flatMap((demand) => quotientsOf(demand, scope))
    }),
  )
  return [...insertable, ...quotients].flatMap(([claim, language]): (readonly [string, Language])[] =>
    claim === REPOSITORY_NAME
      ? ownersIn(scope).map((owner) => ["repository", followedBy(languageOfText(`${owner}/`), language)])
      : [[claim, language]],
  )
}

const OWNER_ID = "repository_owner_id"

/** Whose claims can be filled into the grant. */
export function regionOfFillable(space: Space, { template }: Grant): Region {
  return boxRegion(space, (axis) => {
    const gaps = (template?.claims ?? []).filter((gap) => axisOf(gap) === axis.claim)
    return valuesThat(axis, (claims) =>
      gaps.every((gap) => {
        const value = claims[axis.claim]
        return typeof value === "string" && isInsertable(insertedBy(gap, value))
      }),
    )
  })
}

/** Whose jobs a grant's provider fills its gaps for; everybody's where it has none. Of the grant as it was written. */
export function regionOfFilled(space: Space, grant: Grant): Region {
  return boxRegion(space, (axis) =>
    valuesThat(axis, ({ [OWNER_ID]: ownerId }) =>
      axis.claim !== OWNER_ID ? true : conflictWithJob(grant, { ownerId: String(ownerId ?? "") }) === null,
    ),
  )
}

/** Whose grant is what an entry of a boundary admits. */
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
  if (more.length > 0) {
    // Several gaps are open: whether each text there can be matches is decided, which claims belong to which is not.
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
  const region = boxRegion(space, (axis) =>
    valuesThat(axis, (claims) => {
      if (axis.claim !== axisOf(gap.claim)) return true
      const value = claims[axis.claim]
      return typeof value === "string" && matches(textOf(parts, insertedBy(gap.claim, value)))
    }),
  )
  return ok({ sure: region, possible: region })
}

/** For a text with one open gap: the values there that make it match, by pattern. */
function quotientsOf(demand: TextDemand, scope: Scope): readonly (readonly [string, Language])[] {
  const parts = closed(demand.parts, scope)
  const at = parts.findIndex((part) => "claim" in part)
  const gap = parts[at]
  if (gap === undefined || !("claim" in gap) || parts.slice(at + 1).some((part) => "claim" in part)) return []
  const [before, after] = [textOf(parts.slice(0, at), ""), textOf(parts.slice(at + 1), "")]
  return demand.patterns.map((pattern) => [gap.claim, between(before, languageOfPattern(pattern), after)])
}

/** The text with its gaps closed wherever the scope leaves no choice. */
function closed(parts: readonly TemplatePart[], { pinned }: Scope): readonly TemplatePart[] {
  return parts.map((part) => {
    if (!("claim" in part)) return part
    const value = pinned.get(axisOf(part.claim))
    return value === undefined ? part : { text: insertedBy(part.claim, value) }
  })
}

const textOf = (parts: readonly TemplatePart[], value: string): string =>
  parts.map((part) => ("claim" in part ? value : part.text)).join("")

function languageOfParts(parts: readonly TemplatePart[], { target }: Scope): Language {
  const names = target.kind === "owner" ? common(languageOfPattern(target.names), INSERTABLE) : INSERTABLE
  const languages = parts.map((part) => {
    if (!("claim" in part)) return languageOfText(part.text)
    return part.claim === REPOSITORY_NAME ? names : INSERTABLE
  })
  return languages.reduce(followedBy, languageOfText(""))
}

/** The claim that a gap is filled from; see `insertedBy` for what of it goes in. */
export const axisOf = (gap: string): string => (gap === REPOSITORY_NAME ? "repository" : gap)
const insertedBy = (gap: string, value: string): string => (gap === REPOSITORY_NAME ? repositoryName(value) : value)
