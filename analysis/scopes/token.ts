import { cautionsOf, isCautionClaim } from "../../broker/core/families/cautions.ts"
import type { ClaimType } from "../../broker/core/families/claim-fact.ts"
import { claimFact } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import type { Caution, Claims, ClaimValue } from "../../broker/core/identity.ts"
import { CAUSED, furtherFacts } from "../regions/cautions.ts"
import type { Witness } from "../regions/region.ts"
import { isFieldClaim } from "./field-axes.ts"

/** The claims of a job of a space, with the types that its family's tokens have. */
export function tokenOf(witness: Witness, family: FamilyFacts): Claims {
  const claims = Object.entries(witness).flatMap(([claim, text]): (readonly [string, ClaimValue])[] =>
    isFieldClaim(claim) || isCautionClaim(claim)
      ? []
      : [[claim, typed(text, claimFact(family.name, claim)?.type ?? "text")]],
  )
  return Object.assign(Object.create(null), Object.fromEntries(claims)) as Claims
}

/** The same, with what its family makes of them: whether outsiders or a person's shell are at work. */
export function claimsOf(witness: Witness, family: FamilyFacts): Claims {
  const sent = tokenOf(witness, family)
  const cautions = cautionsIn(witness, sent, family)
  return Object.assign(Object.create(null), sent, {
    outsider: cautions.some(({ fact }) => fact === "outsider"),
    interactive: cautions.some(({ fact }) => fact === "interactive"),
  })
}

/**
 * What is unusual about a job of a space. Also what the family's function would find: a job of the region has it, even if
 * these claims do not show why.
 */
export function cautionsIn(witness: Witness, sent: Claims, family: FamilyFacts): readonly Caution[] {
  const found = family.furtherCautions?.(sent) ?? []
  const further = furtherFacts(family).filter(
    (fact) => witness[fact] === CAUSED && !found.some((one) => one.fact === fact),
  )
  return [...cautionsOf(family, sent), ...further.map((fact) => ({ fact, why: "further claims say so" }))]
}

/** A claim of a job of a space, for people: the members of a list with commas between them. */
export function claimText(claim: string, text: string, family: FamilyFacts): string {
  const value = typed(text, claimFact(family.name, claim)?.type ?? "text")
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : value.join(", ")
  return typeof value === "object" ? "an object" : text
}

function typed(text: string, type: ClaimType): ClaimValue {
  switch (type) {
    case "texts":
    case "object":
    case "any":
      return JSON.parse(text) as ClaimValue
    case "boolean":
      return text === "true"
    case "number":
      return Number.isSafeInteger(Number(text)) && text.trim() !== "" ? Number(text) : text
    case "text":
      return text
  }
}
