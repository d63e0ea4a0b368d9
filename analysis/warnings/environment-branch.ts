import { claimFact } from "../../broker/core/families/families.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { Boundary, Policy, PolicySet, Rule } from "../../broker/core/policy/model.ts"
import { compilePattern, matchPattern, type Pattern } from "../../broker/core/policy/pattern.ts"
import { escaping } from "../regions/atoms.ts"
import { languageOfPattern } from "../regions/language.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * A branch and a tag that any writer can push. Their names are unlikely, so a pattern that matches one matches them all.
 * A condition that matches an unprotected branch as well as the intended one does not restrict the branch.
 */
const UNPROTECTED_REFS: readonly Readonly<Record<string, string>>[] = [
  { ref: "refs/heads/zq7-of-any-writer", ref_type: "branch", ref_protected: "false" },
  { ref: "refs/tags/zq7-of-any-writer", ref_type: "tag", ref_protected: "false" },
]
const UNPROTECTED_COMMIT = "0123456789abcdef0123456789abcdef01234567"

/**
 * Finds allows of an environment that match any branch, where no policy or boundary requires the environment to be
 * protected. GitHub creates an environment without protection when a workflow names one that does not exist.
 */
export function* environmentsWithoutBranch({ set, sources }: Subject): Generator<Warning> {
  for (const policy of set.policies) {
    const { environment } = policy
    if (environment === undefined) continue
    const open = policy.allow.filter((rule) => UNPROTECTED_REFS.some((claims) => admits(rule, claims)))
    if (open.length === 0 || demandsBranches(set, policy)) continue
    for (const rule of open) {
      const at = sources.valueAt(policy.file, ["allow", policy.allow.indexOf(rule)])
      const name = JSON.stringify(rule.name)
      const message = `The allow ${name} matches jobs of every branch in the environment ${JSON.stringify(environment)}. GitHub creates an environment without protection when a workflow names one that does not exist. Add a condition on ref, or require protected_environment with deployment_branches.`
      yield warn(policy.file, at, "environment_without_branch", message)
    }
  }
}

function admits({ conditions }: Rule, claims: Readonly<Record<string, string>>): boolean {
  return conditions.every((condition) => {
    const { claim, test } = condition
    const form = claimFact("github-actions", claim)?.form
    if (form === "workflow") {
      return test.kind !== "any" || test.patterns.some((pattern) => hasAtRef(pattern, claims["ref"] ?? ""))
    }
    if (form === "commit") return matchCondition(condition, "allow", { [claim]: UNPROTECTED_COMMIT })
    const value = claims[claim]
    return value === undefined || matchCondition(condition, "allow", { [claim]: value })
  })
}

/** Whether a pattern for `FILE@REF` matches this ref. Only the part after its last `@` is compared. */
function hasAtRef({ source }: Pattern, ref: string): boolean {
  const at = source.lastIndexOf("@")
  // A pattern without an @ can match one only by a `**`, which then matches the ref as well.
  const behind = at < 0 ? "**" : source.slice(at + 1)
  const pattern = compilePattern(behind)
  return pattern.ok && matchPattern(pattern.value, ref)
}

function demandsBranches(set: PolicySet, policy: Policy): boolean {
  const { organisation } = set
  const demanding = [policy, ...sameJobs(set, policy)].some((other) => other.protectedEnvironment?.deploymentBranches)
  return (
    demanding ||
    organisation.boundaries.some(
      (boundary) => boundary.protectedEnvironment?.deploymentBranches && isOverAll(boundary, set, policy),
    )
  )
}

/** Other policies that apply to every job that this one applies to. */
function sameJobs(set: PolicySet, { issuer, unit, target, environment }: Policy): readonly Policy[] {
  if (target.kind === "owner") {
    return set.policies.filter(
      (other) =>
        other.issuer === issuer && other.environment === environment && other.protectedEnvironment && isWider(other),
    )
  }
  const owner = unit.slice(0, unit.indexOf("/"))
  const ownerId = set.organisation.issuers.get(issuer)?.owners.get(owner) ?? ""
  const spoken = set.policiesOf({ issuer, unit, unitId: target.id, ownerId })
  return spoken.filter((other) => other.environment === environment)

  function isWider(other: Policy): boolean {
    if (other.target.kind !== "owner" || target.kind !== "owner" || other.target.ownerId !== target.ownerId)
      return false
    return covers([other.target.names], target.names)
  }
}

/** Whether a boundary covers every job of the policy. A condition on any other claim may exclude some of the jobs. */
function isOverAll({ when, people }: Boundary, { organisation }: PolicySet, policy: Policy): boolean {
  if (people) return false
  const { issuer, unit, target, environment } = policy
  const config = organisation.issuers.get(issuer)
  const owner = unit.slice(0, unit.indexOf("/"))
  const ownerId = target.kind === "owner" ? target.ownerId : config?.owners.get(owner)
  const known: Readonly<Record<string, string | undefined>> = {
    iss: config?.url,
    environment,
    repository_owner: owner,
    repository_owner_id: ownerId,
    ...(target.kind === "unit" ? { repository: unit, repository_id: target.id } : {}),
  }
  return when.every((condition) => {
    const value = Object.hasOwn(known, condition.claim) ? known[condition.claim] : undefined
    if (value !== undefined) return matchCondition(condition, "deny", { [condition.claim]: value })
    return condition.claim === "repository" && coversNames(condition, unit)
  })
}

function coversNames({ test }: Condition, unit: string): boolean {
  const names = compilePattern(unit)
  return test.kind === "any" && names.ok && covers(test.patterns, names.value)
}

/** Whether every name that `names` matches is matched by one of the patterns. False when that is too complex to decide. */
function covers(patterns: readonly Pattern[], names: Pattern): boolean {
  if (patterns.some(({ source }) => source === names.source)) return true
  const escaped = escaping(languageOfPattern(names), patterns.map(languageOfPattern))
  return escaped.ok && escaped.value === null
}
