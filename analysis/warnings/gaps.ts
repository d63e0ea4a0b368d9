import { claimFact, claimNames, isKnownClaim } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { shortNameGap } from "../../broker/core/families/units.ts"
import { ownerOf } from "../../broker/core/identity.ts"
import { textsIn } from "../../broker/core/policy/ceiling.ts"
import { didYouMean } from "../../broker/core/policy/faults.ts"
import type { Grant, Policy, Rule } from "../../broker/core/policy/model.ts"
import { type TemplatePart, templateParts } from "../../broker/core/policy/template.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import { isPinned } from "./clauses.ts"
import { chosenIn } from "./free-text.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds faulty gaps of grants: a claim that no token has, a claim of free text, or two gaps without a separator. */
export function* doubtfulGaps(subject: Subject): Generator<Warning> {
  const neighbours = neighboursIn(subject.set.policies)
  for (const policy of subject.set.policies) {
    for (const grant of policy.grants.values()) {
      if (grant.template !== undefined) yield* gapsOf(subject, policy, grant, neighbours)
    }
  }
}

function* gapsOf({ set, sources }: Subject, policy: Policy, grant: Grant, neighbours: Neighbours): Generator<Warning> {
  const { file } = policy
  const family = familyOf(set.organisation.issuers.get(policy.issuer))
  const { claims = [], raw = {} } = grant.template ?? {}
  const gapAt = (claim: string) =>
    sources.textAt(file, ["grants", grant.name], (text) =>
      templateParts(text).some((part) => "claim" in part && part.claim === claim),
    )
  for (const claim of claims) {
    if (claim !== shortNameGap(family.unit) && claimFact(family.name, claim) === undefined) {
      const hint = didYouMean(claim, [shortNameGap(family.unit), ...claimNames(family.name)])
      const who = isKnownClaim(claim) ? `${family.title} sends no claim` : "No known issuer sends a claim"
      const message = `${who} ${JSON.stringify(claim)}, so this gap is never filled and the broker always refuses ${grant.name}.${hint}`
      yield warn(file, gapAt(claim), "gap_unknown_claim", message)
    }
    const who = whoFills(claim, family)
    if (who === null || allowsNaming(neighbours(policy), grant.name).every((rule) => pins(rule, claim))) continue
    const message = `${who}, and \${${claim}} puts this text into ${grant.name}, so that person chooses the credential. Write a fixed value, or list the exact values of ${claim} in every allow.`
    yield warn(file, gapAt(claim), "free_text_pattern", message)
  }
  for (const text of textsIn(raw) ?? []) {
    const pair = adjacent(templateParts(text), policy, family)
    if (pair === null) continue
    const [first, second] = pair.map((claim) => `\${${claim}}`)
    const message = `No character separates ${first} and ${second} that their values cannot contain, so two different jobs can produce the same text. Put a character such as / or : between the gaps, or remove one of them.`
    yield warn(
      file,
      sources.textAt(file, ["grants", grant.name], (found) => found === text),
      "gaps_adjacent",
      message,
    )
    break
  }
}

/** Who chooses the text of a claim freely: the start of a sentence. Null for text that only the issuer chooses. */
function whoFills(claim: string, family: FamilyFacts): string | null {
  const { roles, name } = family
  if (claim === "base_ref" && claimFact(name, claim)?.chosenBy !== undefined) {
    return "Anyone with write access can push a branch with any name and open a pull request against it"
  }
  if (claim === roles.actor && claimFact(name, claim)?.chosenBy !== undefined) {
    return "Users choose their own names, and can change them"
  }
  if (claim === roles.ref) return "Anyone with write access can push a branch or a tag with any name"
  return chosenIn([family], claim)?.who ?? null
}

const pins = ({ conditions }: Rule, claim: string): boolean =>
  conditions.some((condition) => condition.claim === claim && isPinned(condition))

/** The policies whose allows can name a policy's grants: those that can apply to the same jobs. */
type Neighbours = (of: Policy) => readonly Policy[]

/** Indexes policies by issuer, owner, environment and repository, so that a lookup does not scan the whole folder. */
function neighboursIn(policies: readonly Policy[]): Neighbours {
  const exact = new Map<string, Policy[]>()
  const wide = new Map<string, Policy[]>()
  const all = new Map<string, Policy[]>()
  const push = (map: Map<string, Policy[]>, key: string, policy: Policy) => {
    const list = map.get(key)
    if (list) list.push(policy)
    else map.set(key, [policy])
  }
  for (const policy of policies) {
    const { target } = policy
    push(all, realmOf(policy), policy)
    if (target.kind === "unit") push(exact, realmOf(policy) + target.id, policy)
    else push(wide, realmOf(policy), policy)
  }
  return (of) => {
    const realm = realmOf(of)
    if (of.target.kind === "owner") return all.get(realm) ?? []
    return [...(exact.get(realm + of.target.id) ?? []), ...(wide.get(realm) ?? [])]
  }
}

const realmOf = ({ issuer, environment, unit }: Policy): string =>
  JSON.stringify([issuer, environment ?? null, ownerOf(unit)])

/** The allows that name a grant, in policies for the same jobs. Without one, no job fills the gaps. */
const allowsNaming = (policies: readonly Policy[], grant: string): readonly Rule[] =>
  policies.flatMap(({ allow }) => allow.filter(({ grants }) => grants !== "all" && grants.has(grant)))

/** Whether a claim consists of digits only: any other character marks its end. */
const isDigits = (claim: string, { name }: FamilyFacts): boolean => claimFact(name, claim)?.form === "digits"

/** The first two gaps of a text that different values can fill to the same result; null when there are none. */
function adjacent(
  parts: readonly TemplatePart[],
  policy: Policy,
  family: FamilyFacts,
): readonly [string, string] | null {
  let before: string | null = null
  let between = ""
  for (const part of parts) {
    const claim = "claim" in part && !isFixed(part.claim, policy, family) ? part.claim : null
    if (claim === null) {
      // A claim with the same value for every job of the policy counts as fixed text.
      between += "claim" in part ? "x" : part.text
      continue
    }
    if (before !== null && before !== claim && runsTogether(before, between, claim, family)) return [before, claim]
    before = claim
    between = ""
  }
  return null
}

function runsTogether(first: string, between: string, second: string, family: FamilyFacts): boolean {
  if (!/^[A-Za-z0-9_.-]*$/.test(between)) return false
  if (isDigits(first, family) && /^[^0-9]/.test(between)) return false
  return !(isDigits(second, family) && /[^0-9]$/.test(between))
}

function isFixed(claim: string, { target, environment }: Policy, { roles, unit }: FamilyFacts): boolean {
  if (claim === roles.environment) return environment !== undefined
  if ([roles.owner, roles.ownerId, "iss"].includes(claim)) return true
  return target.kind === "unit" && [shortNameGap(unit), roles.unit, roles.unitId].includes(claim)
}
