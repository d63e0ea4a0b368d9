import type { ClaimForm } from "../../broker/core/families/claim-fact.ts"
import { claimFact, USUAL_FAMILY } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { ownerOf } from "../../broker/core/identity.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { Boundary, Policy, PolicySet, Rule } from "../../broker/core/policy/model.ts"
import { compilePattern, matchPattern, type Pattern } from "../../broker/core/policy/pattern.ts"
import { escaping } from "../regions/atoms.ts"
import { languageOfPattern } from "../regions/language.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * A branch and a tag that any writer can push. Their names are unlikely, so a pattern that matches one matches them all.
 * A condition that matches an unprotected branch as well as the intended one does not restrict the branch.
 */
const UNPROTECTED_REFS = ["refs/heads/zq7-of-any-writer", "refs/tags/zq7-of-any-writer"] as const
const UNPROTECTED_COMMIT = "0123456789abcdef0123456789abcdef01234567"

/**
 * Finds allows of an environment that match any branch, where no policy or boundary requires the environment to be
 * protected. GitHub and others create an environment without protection when a job names one that does not exist.
 */
export function* environmentsWithoutBranch({ set, sources }: Subject): Generator<Warning> {
  for (const policy of set.policies) {
    const { environment } = policy
    const family = familyOf(set.organisation.issuers.get(policy.issuer))
    if (environment === undefined || !canBeMadeUp(family)) continue
    const open = policy.allow.filter((rule) => UNPROTECTED_REFS.some((ref) => admits(rule, family, ref)))
    if (open.length === 0 || demandsBranches(set, policy)) continue
    for (const rule of open) {
      const at = sources.valueAt(policy.file, ["allow", policy.allow.indexOf(rule)])
      const name = JSON.stringify(rule.name)
      const message = `The allow ${name} matches jobs of every branch in the environment ${JSON.stringify(environment)}. ${creating(family)} Add a condition on ${family.roles.ref}, or require protected_environment with deployment_branches.`
      yield warn(policy.file, at, "environment_without_branch", message)
    }
  }
}

/** Whether a job can name an environment that nobody made: one that is always there, or has few values, is the issuer's. */
function canBeMadeUp({ roles, claims }: FamilyFacts): boolean {
  const fact = roles.environment === undefined ? undefined : claims.get(roles.environment)
  return roles.ref !== undefined && fact?.sent === "with-environment" && fact.values === undefined
}

const creating = ({ name, title }: FamilyFacts): string =>
  name === USUAL_FAMILY.name
    ? "GitHub creates an environment without protection when a workflow names one that does not exist."
    : `A job of ${title} can name an environment that does not exist, and that nobody protects.`

function admits({ conditions }: Rule, family: FamilyFacts, ref: string): boolean {
  return conditions.every((condition) => {
    const { claim, test } = condition
    const form = claimFact(family.name, claim)?.form
    if (form === "workflow") return test.kind !== "any" || test.patterns.some((pattern) => hasAtRef(pattern, ref))
    const value = unprotected(family, claim, form, ref)
    return value === undefined || matchCondition(condition, "allow", { [claim]: value })
  })
}

/** What a claim says of a job on an unprotected ref; undefined for a claim that says nothing of it. */
function unprotected({ roles }: FamilyFacts, claim: string, form: ClaimForm | undefined, ref: string) {
  if (form === "commit") return UNPROTECTED_COMMIT
  if (claim === roles.ref || form === "ref") return form === "branch" ? shortRef(ref) : ref
  if (claim === roles.refType) return ref.startsWith("refs/tags/") ? "tag" : "branch"
  // GitHub, Forgejo and GitLab have it. Where no token does, a condition on it matches no job anyway.
  if (claim === "ref_protected") return "false"
  return form === "branch" && claim === "ref" ? shortRef(ref) : undefined
}

const shortRef = (ref: string): string => ref.replace(/^refs\/(?:heads|tags)\//, "")

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
  const owner = ownerOf(unit)
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
  const owner = ownerOf(unit)
  const { roles } = familyOf(config)
  const ownerId = target.kind === "owner" ? target.ownerId : config?.owners.get(owner)
  const claims: readonly (readonly [claim: string | undefined, value: string | undefined])[] = [
    ["iss", config?.url],
    [roles.environment, environment],
    [roles.owner, owner],
    [roles.ownerId, ownerId],
    ...(target.kind === "unit"
      ? ([
          [roles.unit, unit],
          [roles.unitId, target.id],
        ] as const)
      : []),
  ]
  const known: Readonly<Record<string, string | undefined>> = Object.fromEntries(
    claims.flatMap(([claim, value]) => (claim === undefined ? [] : [[claim, value]])),
  )
  return when.every((condition) => {
    const value = Object.hasOwn(known, condition.claim) ? known[condition.claim] : undefined
    if (value !== undefined) return matchCondition(condition, "deny", { [condition.claim]: value })
    return condition.claim === roles.unit && coversNames(condition, unit)
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
