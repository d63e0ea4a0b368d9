import { repositoryName } from "../../broker/core/identity.ts"
import type { Condition } from "../../broker/core/policy/condition.ts"
import type { Policy, PolicySet, Rule } from "../../broker/core/policy/model.ts"
import { matchPattern } from "../../broker/core/policy/pattern.ts"
import { policyWords } from "../scopes/subject-words.ts"
import { type Clause, clausesOf, patternsOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Actors that GitHub itself keeps: nobody can take these names over. */
const GITHUBS_OWN: ReadonlySet<string> = new Set(["dependabot[bot]", "github-actions[bot]", "github-merge-queue[bot]"])

/** Finds conditions on names that somebody can take over, where an id could stand beside them and does not. */
export function* namesWithoutId(subject: Subject): Generator<Warning> {
  const { set, sources } = subject
  const takeable = takeableNames(set)
  for (const clause of clausesOf(set)) {
    for (const condition of clause.conditions) {
      const found = reason(clause, condition, set, takeable)
      if (found === null) continue
      const at = sources.keyAt(clause.file, [...clause.path, condition.claim])
      yield warn(clause.file, at, "name_without_id", found.message, found.severity)
    }
  }
  yield* escapableDenies(subject)
}

type Found = Pick<Warning, "message" | "severity"> | null

function reason(clause: Clause, condition: Condition, set: PolicySet, takeable: (name: string) => boolean): Found {
  const { claim } = condition
  const idClaim = `${claim}_id`
  if (condition.test.kind === "present" || clause.conditions.some((other) => other.claim === idClaim)) return null
  if (claim === "actor") return ofActor(clause, condition)
  const isLiteral = patternsOf(condition).every(({ literal }) => literal !== null)
  if (!isLiteral || (claim !== "repository" && claim !== "repository_owner")) return null
  if (claim === "repository_owner") return ofOwner(clause, set)
  if (clause.policy === undefined) {
    const names = patternsOf(condition).map(({ literal }) => literal ?? "")
    if (clause.part !== "when" || !names.some(takeable)) return null
    const message = `Whoever may create repositories for its owner can take over a name that became free: ${clause.whose} would then be about another repository. Add repository_id beside repository.`
    return { severity: "notice", message }
  }
  // Where a policy names its repository's id, a condition on the name adds nothing and opens nothing.
  if (clause.policy.target.kind === "repository") return null
  const effect =
    clause.part === "deny" ? "a renamed repository escapes it" : "a repository that takes over the name passes it"
  const message = `${capital(clause.whose)} tells repositories apart by name, and ${effect}: add repository_id beside repository, or write a policy for that repository.`
  return { severity: "warning", message }
}

function ofActor({ whose, part }: Clause, condition: Condition): Found {
  const names = patternsOf(condition).flatMap(({ literal }) => (literal === null ? [] : [literal]))
  const foreign = names.filter((name) => !GITHUBS_OWN.has(name))
  if (foreign.length === 0) return null
  const isRefusing = part === "deny" ? condition.test.kind === "any" : condition.test.kind === "none"
  const effect = isRefusing
    ? "whoever it keeps out can change theirs and pass"
    : "somebody else can take one that became free"
  const remedy = isRefusing ? "Use actor_id instead" : "Add actor_id beside it"
  return {
    severity: "warning",
    message: `User names can be changed, and ${effect}: ${whose} goes by the name ${JSON.stringify(foreign[0])}. ${remedy}: gh api users/NAME --jq .id`,
  }
}

/** Strangers never get this far: an owner's name can only be taken over by another owner that is listed. */
function ofOwner({ whose, part, policy }: Clause, { organisation }: PolicySet): Found {
  const owners = [...organisation.issuers.values()].some(({ owners }) => new Set(owners.values()).size > 1)
  if (policy !== undefined || part !== "when" || !owners) return null
  const message = `One listed owner could take over another's name when it becomes free, and ${whose} goes by the name: add repository_owner_id beside repository_owner.`
  return { severity: "notice", message }
}

/**
 * Whether something speaks of a repository by its name alone, so that the name is worth taking over: a policy with a
 * pattern, or the policies that repositories keep for themselves. Every other policy goes by the id.
 */
function takeableNames({ organisation, policies }: PolicySet): (name: string) => boolean {
  const open = [...organisation.issuers.values()].some(({ repositoryPolicies }) => repositoryPolicies)
  const wide = policies.filter(({ target }) => target.kind === "owner")
  return (name) => open || wide.some((policy) => isNamed(policy, name))
}

function isNamed({ repository, target }: Policy, name: string): boolean {
  const owner = repository.slice(0, repository.indexOf("/") + 1)
  return target.kind === "owner" && name.startsWith(owner) && matchPattern(target.names, repositoryName(name))
}

/** A deny that finds repositories by a pattern, and refuses what policies give to one by its id: a new name ends it. */
function* escapableDenies({ set, sources }: Subject): Generator<Warning> {
  const exact = new Map<string, Policy[]>()
  for (const policy of set.policies) {
    if (policy.target.kind !== "repository") continue
    const key = realmOf(policy)
    const list = exact.get(key)
    if (list) list.push(policy)
    else exact.set(key, [policy])
  }
  for (const policy of set.policies) {
    // Whatever a repository is called, a pattern of nothing but stars finds it.
    if (policy.target.kind !== "owner" || policy.target.names.steps.every((step) => typeof step !== "number")) continue
    for (const [index, rule] of policy.deny.entries()) {
      const escaping = (exact.get(realmOf(policy)) ?? []).find((other) => isHeldBack(other, policy, rule))
      if (escaping === undefined) continue
      const message = `The deny ${JSON.stringify(rule.name)} finds repositories by name: ${policyWords(escaping, set.organisation)}, to which ${escaping.file} gives by its id, escapes it when it is renamed. Write the deny into a file with its repository_id, too.`
      yield warn(policy.file, sources.valueAt(policy.file, ["deny", index]), "name_without_id", message)
    }
  }
}

function isHeldBack({ repository, grants }: Policy, wide: Policy, rule: Rule): boolean {
  if (!isNamed(wide, repository)) return false
  return rule.grants === "all"
    ? grants.size > 0
    : [...grants.keys()].some((name) => rule.grants !== "all" && rule.grants.has(name))
}

const realmOf = ({ issuer, repository, environment }: Policy): string =>
  JSON.stringify([issuer, repository.slice(0, repository.indexOf("/")), environment ?? null])

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
