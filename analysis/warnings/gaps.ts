import { claimFact, claimNames, isKnownClaim } from "../../broker/core/claims/families.ts"
import { textsIn } from "../../broker/core/policy/ceiling.ts"
import { didYouMean } from "../../broker/core/policy/faults.ts"
import type { Grant, Policy, Rule } from "../../broker/core/policy/model.ts"
import { REPOSITORY_NAME, type TemplatePart, templateParts } from "../../broker/core/policy/template.ts"
import { isPinned } from "./clauses.ts"
import { CHOSEN } from "./free-text.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds what is wrong with the gaps of grants: claims that no token has, that somebody picks, or that run together. */
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
    if (claim !== REPOSITORY_NAME && !isKnownClaim(claim)) {
      const hint = didYouMean(claim, [REPOSITORY_NAME, ...claimNames("github-actions")])
      const message = `No token is known to have a claim ${JSON.stringify(claim)}, so nothing is ever filled into this gap, and ${grant.name} is refused.${hint}`
      yield warn(file, gapAt(claim), "gap_unknown_claim", message)
    }
    const who = PICKED.get(claim)
    if (who === undefined || allowsNaming(neighbours(policy), grant.name).every((rule) => pins(rule, claim))) continue
    const message = `${who}, and \${${claim}} puts it into ${grant.name}: whoever picks the text picks the credential. Write the value out, or have every allow name the values of ${claim}.`
    yield warn(file, gapAt(claim), "free_text_pattern", message)
  }
  for (const text of textsIn(raw) ?? []) {
    const pair = adjacent(templateParts(text), policy)
    if (pair === null) continue
    const [first, second] = pair.map((claim) => `\${${claim}}`)
    const message = `Nothing that the two could not hold stands between ${first} and ${second}, so that two different jobs can fill them to the same text: put a character such as / or : between them, or leave one out.`
    yield warn(
      file,
      sources.textAt(file, ["grants", grant.name], (found) => found === text),
      "gaps_adjacent",
      message,
    )
    break
  }
}

/** Claims whose text somebody picks, and who. */
const PICKED: ReadonlyMap<string, string> = new Map([
  ...[...CHOSEN]
    .filter(([claim]) => claim !== "base_ref" && claim !== "actor")
    .map(([claim, { who }]) => [claim, who] as const),
  ["base_ref", "Every writer can push a branch of any name and open a pull request against it"],
  ["actor", "Everybody picks a user name, and can change it"],
  ["ref", "Every writer can push a branch or a tag of any name"],
])

const pins = ({ conditions }: Rule, claim: string): boolean =>
  conditions.some((condition) => condition.claim === claim && isPinned(condition))

/** Policies by whom they are about, as far as their allows can name one another's grants. */
type Neighbours = (of: Policy) => readonly Policy[]

/** The policies for the same environment of repositories of one owner: found at once, however many there are. */
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
    if (target.kind === "repository") push(exact, realmOf(policy) + target.id, policy)
    else push(wide, realmOf(policy), policy)
  }
  return (of) => {
    const realm = realmOf(of)
    if (of.target.kind === "owner") return all.get(realm) ?? []
    return [...(exact.get(realm + of.target.id) ?? []), ...(wide.get(realm) ?? [])]
  }
}

const realmOf = ({ issuer, environment, repository }: Policy): string =>
  JSON.stringify([issuer, environment ?? null, repository.slice(0, repository.indexOf("/"))])

/** The allows of a grant that stand in files about the same jobs. Without any, nobody fills its gaps. */
const allowsNaming = (policies: readonly Policy[], grant: string): readonly Rule[] =>
  policies.flatMap(({ allow }) => allow.filter(({ grants }) => grants !== "all" && grants.has(grant)))

/** Whether a claim is digits alone: one ends where anything else begins, so that it cannot run into its neighbour. */
const isDigits = (claim: string): boolean => claimFact("github-actions", claim)?.form === "digits"

/** The first two gaps of a text that can be filled to one text in two ways; null when there are none. */
function adjacent(parts: readonly TemplatePart[], policy: Policy): readonly [string, string] | null {
  let before: string | null = null
  let between = ""
  for (const part of parts) {
    const claim = "claim" in part && !isFixed(part.claim, policy) ? part.claim : null
    if (claim === null) {
      // What is the same for every job of the policy stands there like the text around it.
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
  return target.kind === "repository" && [REPOSITORY_NAME, "repository", "repository_id"].includes(claim)
}
