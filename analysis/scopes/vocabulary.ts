import { markedValues } from "../../broker/core/families/cautions.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { ownerOf } from "../../broker/core/identity.ts"
import type { Boundary, Policy } from "../../broker/core/policy/model.ts"
import { compilePattern, type Pattern } from "../../broker/core/policy/pattern.ts"
import type { Vocabulary } from "../regions/words.ts"
import { boundariesOver, type ScopePart } from "./scope-space.ts"
import { nameClaim } from "./unit-claims.ts"

/** The policies and boundaries whose patterns describe a region. */
export interface Speakers {
  readonly boundaries: readonly Boundary[]
  readonly policies: readonly Policy[]
  /** The possible values of claims. */
  readonly texts: ReadonlyMap<string, readonly string[]>
}

/** All policies and boundaries about a scope. */
export const speakersOf = ({ scope, organisation }: ScopePart): Speakers => ({
  boundaries: boundariesOver(scope, organisation.boundaries),
  policies: scope.policies,
  texts: scope.texts,
})

/** The patterns that any of them uses. */
export function vocabularyOf(speakers: readonly Speakers[], family: FamilyFacts): Vocabulary {
  const marked = markedValues(family).map(([claim, values]) => [claim, literals(values.keys())] as const)
  const words = new Map<string, Pattern[]>(marked)
  const { environment: inside } = family.roles
  const add = (claim: string, patterns: readonly Pattern[]) =>
    words.set(claim, [...(words.get(claim) ?? []), ...patterns])
  for (const { boundaries, policies, texts } of speakers) {
    for (const { claim, test } of [
      ...policies.flatMap(({ allow, deny }) => [...allow, ...deny]).flatMap(({ conditions }) => conditions),
      ...boundaries.flatMap(({ when, require }) => [...when, ...require]),
    ]) {
      if (test.kind !== "present") add(claim, test.patterns)
    }
    for (const { target, unit, environment } of policies) {
      if (target.kind === "owner") add(nameClaim(family), literals([`${ownerOf(unit)}/${target.names.source}`]))
      if (environment !== undefined && inside !== undefined) add(inside, literals([environment]))
    }
    for (const [claim, known] of texts) add(claim, literals(known))
  }
  return words
}

const literals = (texts: Iterable<string>): Pattern[] =>
  [...texts].flatMap((text) => {
    const pattern = compilePattern(text)
    return pattern.ok ? [pattern.value] : []
  })
