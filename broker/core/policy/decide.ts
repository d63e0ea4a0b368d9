import type { GrantTrace, RuleTrace, Trace } from "../../wire/trace.ts"
import type { Identity } from "../identity.ts"
import { evaluateRule } from "./evaluate-rule.ts"
import type { Grant, Organisation, Policy, Rule } from "./model.ts"
import { reasons } from "./reasons.ts"

export interface DecisionInput {
  readonly organisation: Organisation
  /** All policies of the identity's repository id, whatever their environment; others are ignored. */
  readonly policies: readonly Policy[]
  readonly identity: Identity
  /** Names of the grants asked for. */
  readonly grants: readonly string[]
  /** The lifetime asked for; the policy's when left out. */
  readonly ttlSeconds?: number
}

/** A grant as it is to be minted. `0 < ttlSeconds`, and at most what the request, the grant and its limits say. */
export interface GrantedGrant {
  readonly grant: Grant
  readonly ttlSeconds: number
}

/** All that was asked for, or nothing. */
export type Decision =
  | {
      readonly outcome: "allow"
      readonly grants: readonly GrantedGrant[]
      readonly trace: Trace
      /** The organisation, or a connection of one of the grants, gives to key-bound subject tokens only. */
      readonly requireBoundToken: boolean
    }
  | {
      readonly outcome: "deny"
      readonly code: "not_allowed" | "ttl_too_short"
      readonly trace: Trace
      /** The caller may read the trace: policies of its own repository are what it tells of. */
      readonly ownsPolicies: boolean
    }

/**
 * Decides what a verified job gets. Pure: no clock, no I/O, and the order of files, rules and conditions never matters.
 *
 * Everything is refused that no `allow` names and matches; a matching `deny` wins over every `allow`. Ids decide: the
 * issuer's, the repository's, the owner's. Names are for people, however alike they look.
 */
export function decide(input: DecisionInput): Decision {
  const { organisation, identity } = input
  const own = isOrganisationsOwn(identity, organisation)
  const ofRepository = own ? input.policies.filter((policy) => isOfRepository(policy, identity)) : []
  const applying = ofRepository.filter((policy) => policy.environment === identity.environment)
  const asked = [...new Set(input.grants)]

  const rules = memoized((rule: Rule) => evaluateRule(rule, identity))
  const verdicts = asked.map((name) =>
    verdictOf(name, { identity, own, ofRepository, applying, rules }, input.ttlSeconds),
  )
  const trace: Trace = {
    subject: {
      issuer: identity.issuer,
      repository: identity.repository,
      repository_id: identity.repositoryId,
      environment: identity.environment ?? null,
    },
    policies: applying.map((policy) => policy.file),
    notes: notesOf(identity, ofRepository, applying),
    grants: verdicts.map((verdict) => verdict.trace),
  }

  const granted = verdicts.flatMap((verdict) => (verdict.granted === null ? [] : [verdict.granted]))
  if (asked.length > 0 && granted.length === asked.length) {
    const bound = granted.some(({ grant }) => grant.connection.requireBoundToken)
    return { outcome: "allow", grants: granted, trace, requireBoundToken: organisation.requireBoundToken || bound }
  }
  const onlyTooShort = asked.length > 0 && verdicts.every((verdict) => verdict.granted !== null || verdict.tooShort)
  const code = onlyTooShort ? "ttl_too_short" : "not_allowed"
  return { outcome: "deny", code, trace, ownsPolicies: ofRepository.length > 0 }
}

/** Whether the identity's issuer is listed, and lists its owner's id. Everybody else is a stranger. */
export function isOrganisationsOwn(identity: Identity, organisation: Organisation): boolean {
  const issuer = organisation.issuers.get(identity.issuer)
  // The URL too: between verifying and deciding, another organisation file may have come into force.
  if (issuer === undefined || issuer.url !== identity.issuerUrl) return false
  for (const ownerId of issuer.owners.values()) if (ownerId === identity.ownerId) return true
  return false
}

function isOfRepository(policy: Policy, identity: Identity): boolean {
  return policy.issuer === identity.issuer && policy.repositoryId === identity.repositoryId
}

interface Scope {
  readonly identity: Identity
  readonly own: boolean
  readonly ofRepository: readonly Policy[]
  readonly applying: readonly Policy[]
  readonly rules: (rule: Rule) => RuleTrace
}

interface Verdict {
  readonly granted: GrantedGrant | null
  /** Allowed, but for less time than the provider can mint. */
  readonly tooShort: boolean
  readonly trace: GrantTrace
}

function verdictOf(name: string, scope: Scope, asked: number | undefined): Verdict {
  const { applying } = scope
  const grant = applying.map((policy) => policy.grants.get(name)).find((found) => found !== undefined)
  const allows = tracesOf(
    applying.flatMap((policy) => policy.allow),
    name,
    scope,
  )
  const denies = tracesOf(
    applying.flatMap((policy) => policy.deny),
    name,
    scope,
  )
  const rules = [...allows, ...denies]
  const no = (reason: string, tooShort = false): Verdict => ({
    granted: null,
    tooShort,
    trace: { name, outcome: "deny", reason, rules },
  })

  if (!scope.own) return no(reasons.stranger(scope.identity))
  if (applying.length === 0) return no(reasons.noPolicy(scope.identity, scope.ofRepository))
  if (grant === undefined) return no(reasons.noSuchGrant(name, applying))
  const denied = denies.find((rule) => rule.matched)
  if (denied) return no(reasons.denied(denied))
  const allowed = allows.find((rule) => rule.matched)
  if (!allowed) return no(reasons.notAllowed(name, allows))
  const ttlSeconds = asked === undefined ? grant.ttlSeconds : Math.min(asked, grant.ttlSeconds)
  // Written so that NaN, zero and everything below fails too.
  if (!(ttlSeconds >= grant.minTtlSeconds && ttlSeconds > 0)) return no(reasons.tooShort(grant), true)
  const reason = reasons.allowed(allowed)
  return {
    granted: { grant, ttlSeconds },
    tooShort: false,
    trace: { name, outcome: "allow", reason, ttl_seconds: ttlSeconds, rules },
  }
}

function tracesOf(rules: readonly Rule[], grant: string, scope: Scope): RuleTrace[] {
  return rules.filter((rule) => rule.grants === "all" || rule.grants.has(grant)).map(scope.rules)
}

function notesOf(identity: Identity, ofRepository: readonly Policy[], applying: readonly Policy[]): string[] {
  const notes = [...new Set(applying.map((policy) => policy.repository))]
    .filter((repository) => repository !== identity.repository)
    .map((repository) => reasons.renamed(identity, repository))
  if (applying.length === 0 && ofRepository.length > 0) notes.push(reasons.otherEnvironments(ofRepository))
  return notes
}

function memoized<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>()
  return (key) => {
    const before = made.get(key)
    if (before !== undefined) return before
    const value = make(key)
    made.set(key, value)
    return value
  }
}
