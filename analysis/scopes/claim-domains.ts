import { isCautionClaim } from "../../broker/core/families/cautions.ts"
import type { ClaimFact, ClaimType } from "../../broker/core/families/claim-fact.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { followedBy, languageOfText, WORD } from "../regions/language.ts"
import type { Domain } from "../regions/space.ts"

/** Known facts about claims: which a token always has, and good example values. */
export type ClaimDomains = ReadonlyMap<string, Domain>

/**
 * A family's table of claims in the form that spaces need: the claims that each of its tokens has, and good example values.
 * Verification refuses a token that lacks a required claim, so the analysis need not cover such jobs. Closed sets of values
 * are left out: the analysis covers every value that a condition can distinguish, because an issuer can add an event
 * tomorrow and a proof must still hold. Subjects are left out: they repeat other claims, and an example could contradict
 * them.
 */
export function domainsOf(family: FamilyFacts): ClaimDomains {
  const known = DOMAINS.get(family)
  if (known !== undefined) return known
  const domains = new Map<string, Domain>()
  for (const [claim, fact] of family.claims) {
    const domain = isCautionClaim(claim) ? {} : domainOf(fact)
    if (Object.keys(domain).length > 0) domains.set(claim, domain)
  }
  DOMAINS.set(family, domains)
  return domains
}

const DOMAINS = new WeakMap<FamilyFacts, ClaimDomains>()

const REPOSITORY = followedBy(followedBy(WORD, languageOfText("/")), WORD)
const FLAGS = ["true", "false"].map(languageOfText)

function domainOf({ sent, registered, form, samples, type }: ClaimFact): Domain {
  const isAlwaysSent = sent === "always" && !registered && form !== "subject"
  const shape = type && SHAPES[type]
  const within = form === "repository" ? [REPOSITORY] : type === "boolean" ? FLAGS : null
  return {
    ...(isAlwaysSent && { present: "always" as const }),
    ...(samples && { samples }),
    ...(shape && { shape }),
    ...(within && (isAlwaysSent || samples || type) && { within }),
  }
}

const SHAPES: Readonly<Partial<Record<ClaimType, NonNullable<Domain["shape"]>>>> = {
  texts: "list",
  object: "object",
  any: "any",
}
