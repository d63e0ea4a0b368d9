import { CAUTION_CLAIMS, markedValues } from "../../broker/core/families/cautions.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import type { Caution } from "../../broker/core/identity.ts"
import { type Condition, matchCondition, namesCaution } from "../../broker/core/policy/condition.ts"

// What an `allow` must name follows from single claims, by the values that a family's table marks, and for some families
// from a function of all claims. The first is exact in a space. For the second, a space has an axis of its own: it is named
// as the claim that speaks of the caution, and its only text says that the function finds it.

/** `outsider` or `interactive`. */
export type CautionFact = Caution["fact"]

/** The text of the axis of a caution that the family's function finds. */
export const CAUSED = "true"

/** The cautions of a family that need an axis, because its table does not tell them. */
export const furtherFacts = (family: FamilyFacts): readonly CautionFact[] =>
  family.furtherCautions === undefined ? [] : CAUTION_CLAIMS

/** Which cautions one value on one axis of a space causes. */
export function causedBy(family: FamilyFacts, claim: string, value: string | null): readonly CautionFact[] {
  if (value === null) return []
  const further = furtherFacts(family).filter((fact) => fact === claim && value === CAUSED)
  const marked = markedValues(family).flatMap(([marked, values]) => (marked === claim ? (values.get(value) ?? []) : []))
  return [...further, ...marked]
}

/** The axes that can cause a caution. */
export const causesOf = (family: FamilyFacts): readonly string[] => [
  ...new Set([...markedValues(family).map(([claim]) => claim), ...furtherFacts(family)]),
]

/** Whether an `allow` with these conditions takes a job with this value, as far as it must name what is unusual. */
export function isNamed(
  conditions: readonly Condition[],
  family: FamilyFacts,
  claim: string,
  value: string | null,
): boolean {
  return causedBy(family, claim, value).every((fact) =>
    namesCaution(conditions, { fact, why: "", ...(value === null ? {} : { claim, value }) }),
  )
}

/**
 * The values by which an `allow` names a caution that the family's function finds, without the caution's own claim: such as
 * the ref of a pull request, written out. A caution that has a claim and a value is found from this claim alone.
 */
export function namedBy(
  fact: CautionFact,
  conditions: readonly Condition[],
  { furtherCautions }: FamilyFacts,
): readonly { readonly claim: string; readonly value: string }[] {
  return conditions.flatMap(({ claim, test }) => {
    const literals = test.kind === "any" ? test.patterns.flatMap(({ literal }) => literal ?? []) : []
    return literals
      .filter((value) => furtherCautions?.({ [claim]: value }).some((one) => one.fact === fact && one.claim === claim))
      .map((value) => ({ claim, value }))
  })
}

/** Whether conditions on the claim of a caution hold where there is one, and where there is none. */
export function demandOn(fact: CautionFact, conditions: readonly Condition[], style: "allow" | "deny") {
  const own = conditions.filter(({ claim }) => claim === fact)
  const holds = (value: boolean) => own.every((one) => matchCondition(one, style, { [fact]: value }))
  return { present: holds(true), absent: holds(false) }
}
