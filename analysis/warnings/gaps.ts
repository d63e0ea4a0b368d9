import { claimFact, claimNames, isKnownClaim } from "../../broker/core/families/families.ts"
import { shortNameGap } from "../../broker/core/families/units.ts"
import { textsIn } from "../../broker/core/policy/ceiling.ts"
import { didYouMean } from "../../broker/core/policy/faults.ts"
import type { Grant, Policy, Rule } from "../../broker/core/policy/model.ts"
import { type TemplatePart, templateParts } from "../../broker/core/policy/template.ts"
import { isPinned } from "./clauses.ts"
import { CHOSEN } from "./free-text.ts"
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

function* gapsOf({ sources }: Subject, policy: Policy, grant: Grant, neighbours: Neighbours): Generator<Warning> {
  const { file } = policy
  const { claims = [], raw = {} } = grant.template ?? {}
  const gapAt = (claim: string) =>
    sources.textAt(file, ["grants", grant.name], (text) =>
      templateParts(text).some((part) => "claim" in part && part.claim === claim),
    )
  for (const claim of claims) {
    if (claim !== shortNameGap("repository") && !isKnownClaim(claim)) {
      const hint = didYouMean(claim, [shortNameGap("repository"), ...claimNames("github-actions")])
      const message = `No known issuer sends a claim ${JSON.stringify(claim)}, so this gap is never filled and the broker always refuses ${grant.name}.${hint}`
      yield warn(file, gapAt(claim), "gap_unknown_claim", message)
    }
    const who = FREE_TEXT.get(claim)
    if (who === undefined || allowsNaming(neighbours(policy), grant.name).every((rule) => pins(rule, claim))) continue
    const message = `${who}, and \${${claim}} puts this text into ${grant.name}, so that person chooses the credential. Write a fixed value, or list the exact values of ${claim} in every allow.`
    yield warn(file, gapAt(claim), "free_text_pattern", message)
  }
  for (const text of textsIn(raw) ?? []) {
    const pair = adjacent(templateParts(text), policy)
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

/** Claims of free text, and who chooses it. */
const FREE_TEXT: ReadonlyMap<string, string> = new Map([
  ...[...CHOSEN]
    .filter(([claim]) => claim !== "base_ref" && claim !== "actor")
    .map(([claim, { who }]) => [claim, who] as const),
  ["base_ref", "Anyone with write access can push a branch with any name and open a pull request against it"],
  ["actor", "Users choose their own names, and can change them"],
  ["ref", "Anyone with write access can push a branch or a tag with any name"],
])

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
  JSON.stringify([issuer, environment ?? null, unit.slice(0, unit.indexOf("/"))])

/** The allows that name a grant, in policies for the same jobs. Without one, no job fills the gaps. */
const allowsNaming = (policies: readonly Policy[], grant: string): readonly Rule[] =>
  policies.flatMap(({ allow }) => allow.filter(({ grants }) => grants !== "all" && grants.has(grant)))

/** Whether a claim consists of digits only: any other character marks its end. */
const isDigits = (claim: string): boolean => claimFact("github-actions", claim)?.form === "digits"

/** The first two gaps of a text that different values can fill to the same result; null when there are none. */
function adjacent(parts: readonly TemplatePart[], policy: Policy): readonly [string, string] | null {
  let before: string | null = null
  let between = ""
  for (const part of parts) {
    const claim = "claim" in part && !isFixed(part.claim, policy) ? part.claim : null
    if (claim === null) {
      // A claim with the same value for every job of the policy counts as fixed text.
      between += "claim" in part ? "x" : part.text
      continue
    }
    if (before !== null && before !== claim && runsTogether(before, between, claim)) return [before, claim]
    before = claim
    between = ""
  }
  return null
}

function runsTogether(first: string, between: string, second: string): boolean {
  if (!/^[A-Za-z0-9_.-]*$/.test(between)) return false
  if (isDigits(first) && /^[^0-9]/.test(between)) return false
  return !(isDigits(second) && /[^0-9]$/.test(between))
}

function isFixed(claim: string, { target, environment }: Policy): boolean {
  if (claim === "environment") return environment !== undefined
  if (["repository_owner", "repository_owner_id", "iss"].includes(claim)) return true
  return target.kind === "unit" && [shortNameGap("repository"), "repository", "repository_id"].includes(claim)
}
