import type { BoundaryTrace, ConditionTrace, RuleTrace } from "../../wire/trace.ts"
import { formatDuration } from "../duration.ts"
import type { Identity } from "../identity.ts"
import { didYouMean, quote } from "./faults.ts"
import type { Grant, Organisation, Policy } from "./model.ts"

/** The most names that one sentence lists or searches for a similar one. */
const MAX_LISTED = 30

/** A job, and the policies that speak of its repository. */
interface JobInPolicies {
  readonly identity: Identity
  readonly ofRepository: readonly Policy[]
  readonly organisation: Organisation
}

/** The sentences of a trace. Each says what decided, and what to change for a different decision. */
export const reasons = {
  stranger: ({ owner, ownerId, issuer }: Identity) =>
    `The owner ${owner} (id ${ownerId}) is not listed in the organisation file: to trust it, list it under the owners of issuer ${issuer}.`,

  /** Names the issuer where the organisation lists several: each can have a repository of the same name and id. */
  noPolicy: ({ identity, ofRepository, organisation }: JobInPolicies) => {
    const where =
      ofRepository.length > 0 ? `${environmentOf(identity.environment)} of ${identity.repository}` : identity.repository
    const key = identity.environment === undefined ? "no environment" : `environment: ${identity.environment}`
    const [of, issuer] =
      organisation.issuers.size > 1 ? [` of issuer ${identity.issuer}`, `issuer: ${identity.issuer}, `] : ["", ""]
    return `No policy${of} covers ${where}: add one with ${issuer}repository_id: ${quote(identity.repositoryId)} and ${key}.`
  },

  noSuchGrant: (name: string, applying: readonly Policy[]) => {
    const known = [...new Set(applying.flatMap((policy) => [...policy.grants.keys()]))].sort()
    // Bounded, because a job can ask for 32 names that do not exist, as often as it wants.
    const listed = known.slice(0, MAX_LISTED)
    const more = known.length - listed.length
    const offered = `${listed.join(", ") || "nothing"}${more > 0 ? ` and ${more} more` : ""}`
    return `The policies for this job offer no grant ${quote(name)}.${didYouMean(name, listed) || ` They offer: ${offered}.`}`
  },

  definedTwice: (one: Grant, other: Grant) =>
    `The grant ${quote(one.name)} is defined twice for this job (${one.file}:${one.line} and ${other.file}:${other.line}), and neither has priority: rename one.`,

  unfillable: ({ name, file, line }: Grant, fault: string) =>
    `The grant ${quote(name)} (${file}:${line}) cannot be filled in for this job: ${fault}.`,

  outside: ({ name, connection }: Grant, boundaries: readonly BoundaryTrace[]) => {
    const unfulfilled = boundaries.find(({ required }) => required.some(({ matched }) => !matched))
    if (unfulfilled) {
      const misses = unfulfilled.required.filter(({ matched }) => !matched).map(missOf)
      return `The organisation's boundary ${boundaryOf(unfulfilled)} requires more of this job: ${misses.join("; ")}.`
    }
    const matched = boundaries.filter((one) => one.matched)
    const [nearest] = matched.filter(({ fields }) => fields.length > 0)
    if (nearest) {
      const fields = nearest.fields.map(({ field, expected, actual }) => {
        return `${field} must be ${expected}, but ${actual === null ? "the grant does not set it" : `is ${actual}`}`
      })
      return `The grant ${quote(name)} is outside the organisation's boundary ${boundaryOf(nearest)}: ${fields.join("; ")}.`
    }
    if (matched.length > 0) {
      const names = matched.map(boundaryOf).join(", ")
      return `No boundary allows this job to use the connection ${connection.name}. The boundaries that match the job are ${names}. Ask the maintainers of the organisation file to allow it.`
    }
    const [first] = boundaries
    const misses = (first?.conditions ?? []).filter((condition) => !condition.matched).map(missOf)
    const why = first === undefined ? "" : `: for ${boundaryOf(first)}, ${misses.join("; ")}`
    return `This repository has boundaries, but none of them matches this job${why}.`
  },

  unprotected: (identity: Identity, unmet: readonly string[], boundaries: readonly BoundaryTrace[]) => {
    const todo = [...new Set([...unmet, ...boundaries.flatMap(({ environment }) => environment)])]
    // Some of these are whole sentences, from the environment's host.
    const demands = todo.map((text) => text.replace(/\.$/, "")).join("; ")
    return `The environment${identity.environment === undefined ? "" : ` ${identity.environment}`} must be protected: ${demands}.`
  },

  denied: (rule: RuleTrace) =>
    `The deny rule ${quote(rule.name)} (${rule.file}:${rule.line}) matches${becauseMissing(rule)}: change the job, or the rule.`,

  notAllowed: (name: string, allows: readonly RuleTrace[]) => {
    if (allows.length === 0)
      return `No allow rule names ${name}: add it to the grants of the rule that should allow it.`
    const [nearest, ...others] = [...allows].sort((a, b) => missesOf(a).length - missesOf(b).length)
    if (nearest === undefined) return `No allow rule matches ${name}.`
    const more =
      others.length === 0
        ? ""
        : ` (${others.length} more ${others.length === 1 ? "rule does" : "rules do"} not match either)`
    const misses = missesOf(nearest).map(missOf).join("; ")
    return `The allow rule ${quote(nearest.name)} (${nearest.file}:${nearest.line}) does not match: ${misses}${more}.`
  },

  tooShort: (grant: Grant) =>
    `${grant.connection.provider} mints credentials for at least ${formatDuration(grant.minTtlSeconds)}: ask for a longer ttl, or leave the ttl out.`,

  limitTooShort: ({ connection, minTtlSeconds }: Grant, { maxTtlSeconds }: { readonly maxTtlSeconds: number }) =>
    `${connection.provider} mints credentials for at least ${formatDuration(minTtlSeconds)}, but the organisation's boundaries allow this job at most ${formatDuration(maxTtlSeconds)}: raise max_ttl in the boundary.`,

  allowed: (rule: RuleTrace) =>
    `The allow rule ${quote(rule.name)} (${rule.file}:${rule.line}) matches, and no deny rule does.`,

  renamed: (identity: Identity, repository: string) =>
    `The policies call this repository ${repository}, and its token calls it ${identity.repository}. The id decides; update the name in the policies.`,

  otherEnvironments: (ofRepository: readonly Policy[]) => {
    const names = [...new Set(ofRepository.map(({ environment }) => environmentOf(environment)))].sort()
    return `This repository has policies for: ${names.join(", ")}. Environment names are case-sensitive.`
  },
}

const boundaryOf = ({ name, file, line }: BoundaryTrace) => `${quote(name)} (${file}:${line})`

function environmentOf(environment: string | undefined): string {
  return environment === undefined ? "jobs without an environment" : `environment ${environment}`
}

function missesOf(rule: RuleTrace): readonly ConditionTrace[] {
  return rule.conditions.filter(({ matched }) => !matched)
}

function missOf({ claim, expected, actual }: ConditionTrace): string {
  return `${claim} must be ${expected}, but ${actual === null ? "the token has no such claim" : `is ${actual === "" ? '""' : actual}`}`
}

/** Explains a deny that matches because a claim is missing: readers do not expect that. */
function becauseMissing(rule: RuleTrace): string {
  const missing = rule.conditions.filter(({ actual, expected }) => actual === null && expected !== "missing")
  if (missing.length === 0) return ""
  return `, because a missing claim never helps (${missing.map(({ claim }) => claim).join(", ")})`
}
