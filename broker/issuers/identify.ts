import { cautionsOf } from "../core/families/cautions.ts"
import type { ClaimType } from "../core/families/claim-fact.ts"
import { claimFact } from "../core/families/families.ts"
import type { ClaimRoles } from "../core/families/family-facts.ts"
import { hostOf } from "../core/families/units.ts"
import type { Claims, ClaimValue, Identity } from "../core/identity.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import { fail, ok, type Result } from "../core/result.ts"
import type { IssuerFamily } from "./family.ts"

/** The longest text that stands in an identity: names and ids are compared, recorded and put into other tokens. */
const MAX_TEXT_CHARACTERS = 1_024

/**
 * Turns verified claims into an identity, as the family's facts say. The fault is the end of a sentence that begins with
 * `In the subject token, `. Pure.
 */
export function identify(token: Claims, issuer: IssuerConfig, family: IssuerFamily): Result<Identity, string> {
  const { facts } = family
  const fault = faultOfTypes(token, family)
  if (fault !== null) return fail(fault)
  const derived = family.derive?.(token, issuer) ?? ok({})
  if (!derived.ok) return derived
  const claims: Record<string, ClaimValue> = Object.assign(ownClaims(token, family), derived.value)
  const cautions = cautionsOf(facts, claims)
  claims["outsider"] = cautions.some(({ fact }) => fact === "outsider")
  claims["interactive"] = cautions.some(({ fact }) => fact === "interactive")

  const own = family.check?.(claims, issuer) ?? null
  if (own !== null) return fail(own)

  const { roles } = facts
  const unitId = textOf(claims, roles.unitId)
  if (unitId === null || !facts.unitId.pattern.test(unitId)) {
    return fail(`the claim ${roles.unitId} must be an id: ${facts.unitId.words}`)
  }
  const ownerId = facts.ownerId === undefined ? issuer.url : textOf(claims, roles.ownerId)
  if (ownerId === null || (facts.ownerId && !facts.ownerId.pattern.test(ownerId))) {
    return fail(`the claim ${roles.ownerId} must be an id: ${facts.ownerId?.words}`)
  }
  const unnamed = faultOfNames(claims, roles)
  if (unnamed !== null) return fail(unnamed)
  const environment = textOf(claims, roles.environment)
  const isProtected = textOf(claims, roles.environmentProtected)
  const identity: Identity = {
    issuer: issuer.name,
    issuerUrl: issuer.url,
    unitKind: facts.unit,
    unit: textOf(claims, roles.unit) ?? unitId,
    unitId,
    owner: textOf(claims, roles.owner) ?? (facts.ownerId === undefined ? hostOf(issuer.url) : ownerId),
    ownerId,
    ...(environment === null ? {} : { environment }),
    ...(environment === null || isProtected === null ? {} : { environmentProtected: isProtected === "true" }),
    ref: textOf(claims, roles.ref),
    refType: textOf(claims, roles.refType),
    event: textOf(claims, roles.event),
    actor: textOf(claims, roles.actor),
    actorId: textOf(claims, roles.actorId),
    runId: textOf(claims, roles.runId) ?? "",
    runAttempt: textOf(claims, roles.runAttempt) ?? "",
    cautions,
    claims,
  }
  for (const value of Object.values(identity)) {
    if (typeof value === "string" && value.length > MAX_TEXT_CHARACTERS) {
      return fail(`a name or an id is longer than ${MAX_TEXT_CHARACTERS} characters`)
    }
  }
  return ok(identity)
}

/**
 * What is wrong with the claims that are names; null when nothing is. A job without an environment has no such claim. An empty
 * claim must not count as "no environment": it would match the policies for jobs without an environment, which no protection
 * rule guards.
 */
function faultOfNames(claims: Claims, { unit, owner, environment, event, actor }: ClaimRoles): string | null {
  for (const claim of [unit, owner, environment, event, actor]) {
    const value = claim === undefined ? undefined : claims[claim]
    if (value === undefined || (typeof value === "string" && value !== "")) continue
    if (value === null && claim !== environment) continue
    return `the claim ${claim} must be a name, or be left out`
  }
  return null
}

/** The token's claims without those that the family derives: where it derives nothing, the token must not say it instead. */
function ownClaims(token: Claims, { facts }: IssuerFamily): Record<string, ClaimValue> {
  const own: Record<string, ClaimValue> = Object.create(null)
  // Not Object.entries, which is five times slower for an object without a prototype.
  for (const name of Object.keys(token)) {
    const value = token[name]
    if (value !== undefined && !facts.claims.get(name)?.derived) own[name] = value
  }
  return own
}

/** What is wrong with the types of the claims that the family knows: a flag that is a text is no boolean. */
function faultOfTypes(claims: Claims, { facts }: IssuerFamily): string | null {
  for (const [name, { sent, derived, registered, type, remedy }] of facts.claims) {
    if (derived || registered) continue
    const value = claims[name] ?? null
    if (value === null) {
      if (sent === "always") {
        const fault = claims[name] === undefined ? "is missing" : wanted(type)
        return `the claim ${name} ${fault}${remedy === undefined ? "" : `: ${remedy}`}`
      }
      continue
    }
    if (!IS_TYPE[type ?? "text"](value)) return `the claim ${name} ${wanted(type)}`
  }
  if (facts.prefixes === undefined) return null
  for (const [name, value] of Object.entries(claims)) {
    if (facts.claims.has(name)) continue
    const fact = claimFact(facts.name, name)
    if (fact && value !== null && !IS_TYPE[fact.type ?? "text"](value)) return `the claim ${name} ${wanted(fact.type)}`
  }
  return null
}

const IS_TYPE: Readonly<Record<ClaimType, (value: ClaimValue) => boolean>> = {
  text: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  texts: (value) => Array.isArray(value) && value.every((member) => typeof member === "string"),
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  any: () => true,
}

const WORDS: Readonly<Record<ClaimType, string>> = {
  text: "a string",
  number: "a number",
  boolean: "true or false",
  texts: "a list of strings",
  object: "an object",
  any: "there",
}

const wanted = (type: ClaimType | undefined): string => `must be ${WORDS[type ?? "text"]}`

/** A claim as text: a number or a flag as it is spelt in JSON. */
function textOf(claims: Claims, name: string | undefined): string | null {
  const value = name === undefined ? undefined : claims[name]
  if (typeof value === "string") return value
  return typeof value === "boolean" || Number.isSafeInteger(value) ? String(value) : null
}
