import { isCautionClaim } from "../../broker/core/families/cautions.ts"
import type { ClaimType } from "../../broker/core/families/claim-fact.ts"
import { claimFact } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import type { Claims, ClaimValue } from "../../broker/core/identity.ts"
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
