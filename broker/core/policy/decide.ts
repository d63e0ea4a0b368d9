import type { GrantTrace, RuleTrace, Trace } from "../../wire/trace.ts"
import type { Identity } from "../identity.ts"
import { type Ceiling, type CeilingVerdict, ceilingOver, holdAgainst } from "./ceiling.ts"
import { missingProtection, type ProtectionFact } from "./environment-protection.ts"
import { evaluateRule } from "./evaluate-rule.ts"
import type { Grant, Organisation, Policy, Rule } from "./model.ts"
import { speaksOf } from "./policy-set.ts"
import { reasons } from "./reasons.ts"
import { fieldsFor, misfitOf } from "./template.ts"

export interface DecisionInput {
  readonly organisation: Organisation
  /** All policies that speak of the identity's repository, whatever their environment; others are ignored. */
  readonly policies: readonly Policy[]
  readonly identity: Identity
  /** Names of the grants asked for. */
  readonly grants: readonly string[]
  /** The lifetime asked for; the policy's when left out. */
  readonly ttlSeconds?: number
  /** How the job's environment is protected; left out as long as nobody asked its host. What is unknown meets no demand. */
  readonly protection?: ProtectionFact
  /** Sentences for the trace, from whoever read the policies. */
  readonly notes?: readonly string[]
}

/** A grant as it is to be minted, its gaps filled. `0 < ttlSeconds`, and at most what the request, the grant and its limits say. */
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
      /** Nothing stands in the way but that nobody asked yet how the environment is protected: ask, and decide again. */
      readonly awaitsProtection: boolean
      /** As above, of what would be granted. */
      readonly requireBoundToken: boolean
    }

/**
 * Decides what a verified job gets. Pure: no clock, no I/O, and the order of files, rules and conditions never matters.
 *
 * Everything is refused that no `allow` names and matches; a matching `deny` wins over every `allow`, and the
 * organisation's boundaries over both. Ids decide: the issuer's, the repository's, the owner's. Names are for people,
 * however alike they look.
 */
export function decide(input: DecisionInput): Decision {
  const { organisation, identity } = input
  const own = isOrganisationsOwn(identity, organisation)
  const spoken = own ? input.policies.filter((policy) => speaksOf(policy, identity)) : []
  const ceiling = own ? ceilingOver(organisation, identity, spoken) : []
  // What a repository keeps for itself counts below a ceiling only: without one, it could give itself anything.
  const ofRepository = spoken.filter(({ origin }) => origin === "organisation" || ceiling.length > 0)
  const applying = ofRepository.filter((policy) => policy.environment === identity.environment)
  const asked = [...new Set(input.grants)]

  const rules = memoized((rule: Rule) => evaluateRule(rule, identity))
  const scope = { identity, own, ofRepository, applying, rules, ceiling, ...protectionFor(input, applying) }
  const verdicts = asked.map((name) => verdictOf(name, scope, input.ttlSeconds))
  const trace: Trace = {
    subject: {
      issuer: identity.issuer,
      repository: identity.repository,
      repository_id: identity.repositoryId,
      environment: identity.environment ?? null,
    },
    policies: applying.map((policy) => policy.file),
    notes: [...notesOf(identity, ofRepository, applying), ...(input.notes ?? [])],
    grants: verdicts.map((verdict) => verdict.trace),
  }

  const requireBoundToken = organisation.requireBoundToken || verdicts.some((verdict) => verdict.bound)
  const granted = verdicts.flatMap((verdict) => (verdict.granted === null ? [] : [verdict.granted]))
  if (asked.length > 0 && granted.length === asked.length) {
    return { outcome: "allow", grants: granted, trace, requireBoundToken }
  }
  const onlyFor = (obstacle: Obstacle) =>
    asked.length > 0 && verdicts.every((verdict) => verdict.granted !== null || verdict.obstacle === obstacle)
  return {
    outcome: "deny",
    code: onlyFor("too-short") ? "ttl_too_short" : "not_allowed",
    trace,
    ownsPolicies: ofRepository.length > 0,
    awaitsProtection: !scope.asked && onlyFor("unprotected"),
    requireBoundToken,
  }
}

/** Whether the identity's issuer is listed, and lists its owner's id. Everybody else is a stranger. */
export function isOrganisationsOwn(identity: Identity, organisation: Organisation): boolean {
  const issuer = organisation.issuers.get(identity.issuer)
  // The URL too: between verifying and deciding, another organisation file may have come into force.
  if (issuer === undefined || issuer.url !== identity.issuerUrl) return false
  for (const ownerId of issuer.owners.values()) if (ownerId === identity.ownerId) return true
  return false
}

interface Protection {
  readonly fact: ProtectionFact
  /** Whether asking the environment's host can bring nothing new. */
  readonly asked: boolean
  /** What the policies' own demands find missing. */
  readonly unmet: readonly string[]
}

/** An environment is the same for all policies of a job, so that one policy's demand on it holds for all. */
function protectionFor(input: DecisionInput, applying: readonly Policy[]): Protection {
  const own = applying.flatMap(({ protectedEnvironment }) => (protectedEnvironment ? [protectedEnvironment] : []))
  const inNone = input.identity.environment === undefined
  const fact = inNone ? IN_NO_ENVIRONMENT : (input.protection ?? NOT_ASKED)
  const unmet = [...new Set(own.flatMap((demand) => missingProtection(demand, fact)))]
  return { fact, asked: inNone || input.protection !== undefined, unmet }
}

const NOT_ASKED: ProtectionFact = { known: false, reason: "its host was not asked how it is protected" }
const IN_NO_ENVIRONMENT: ProtectionFact = { known: false, reason: "the job runs in none: name one in the workflow" }

interface Scope extends Protection {
  readonly identity: Identity
  readonly own: boolean
  readonly ofRepository: readonly Policy[]
  readonly applying: readonly Policy[]
  readonly rules: (rule: Rule) => RuleTrace
  readonly ceiling: Ceiling
}

/** What kept an allowed grant from being granted. */
type Obstacle = "too-short" | "unprotected"

interface Verdict {
  readonly granted: GrantedGrant | null
  /** Null when it is granted, or refused by policy. */
  readonly obstacle: Obstacle | null
  /** Its connection gives to key-bound subject tokens only. */
  readonly bound: boolean
  readonly trace: GrantTrace
}

function verdictOf(name: string, scope: Scope, asked: number | undefined): Verdict {
  const { applying, identity, ceiling } = scope
  const [definer, other] = applying.filter((policy) => policy.grants.has(name))
  const [grant, another] = [definer?.grants.get(name), other?.grants.get(name)]
  const allows = tracesOf(
    // Defence in depth, for no such file loads: who keeps a grant says who gets it, and a repository opens none of the
    // organisation's. Denies come from everybody.
    applying.filter(({ origin }) => origin === (definer?.origin ?? origin)).flatMap((policy) => policy.allow),
    name,
    scope,
  )
  const denies = tracesOf(
    applying.flatMap((policy) => policy.deny),
    name,
    scope,
  )
  const rules = [...allows, ...denies]
  const bound = grant?.connection.requireBoundToken ?? false
  const no = (reason: string, obstacle: Obstacle | null = null, held?: CeilingVerdict): Verdict => {
    const trace = { name, outcome: "deny", reason, rules } as const
    const boundaries = held ? { boundaries: held.boundaries } : {}
    return { granted: null, obstacle, bound, trace: { ...trace, ...boundaries } }
  }

  if (!scope.own) return no(reasons.stranger(identity))
  if (applying.length === 0) return no(reasons.noPolicy(identity, scope.ofRepository))
  if (grant === undefined) return no(reasons.noSuchGrant(name, applying))
  if (another !== undefined) return no(reasons.definedTwice(grant, another))
  const denied = denies.find((rule) => rule.matched)
  if (denied) return no(reasons.denied(denied))
  const allowed = allows.find((rule) => rule.matched)
  if (!allowed) return no(reasons.notAllowed(name, allows))
  const fields = fieldsFor(grant, identity)
  if (!fields.ok) return no(reasons.unfillable(grant, fields.fault))
  const misfit = misfitOf(grant, identity)
  if (misfit !== null) return no(reasons.unfillable(grant, misfit))

  const held = ceiling.length === 0 ? undefined : holdAgainst(ceiling, { ...grant, fields: fields.value }, scope.fact)
  if (held && !held.inside && !held.onlyUnprotected) return no(reasons.outside(grant, held.boundaries), null, held)
  if (held && held.maxTtlSeconds < grant.minTtlSeconds) return no(reasons.limitTooShort(grant, held), null, held)
  const ttlSeconds = Math.min(asked ?? Infinity, grant.ttlSeconds, held?.maxTtlSeconds ?? Infinity)
  // Written so that NaN, zero and everything below fails too.
  if (!(ttlSeconds >= grant.minTtlSeconds && ttlSeconds > 0)) return no(reasons.tooShort(grant), "too-short", held)
  // Last, because finding out takes a call to the environment's host.
  if (held?.onlyUnprotected || scope.unmet.length > 0) {
    return no(reasons.unprotected(identity, scope.unmet, held?.boundaries ?? []), "unprotected", held)
  }

  const trace = { name, outcome: "allow", reason: reasons.allowed(allowed), ttl_seconds: ttlSeconds, rules } as const
  return {
    granted: { grant: filled(grant, fields.value), ttlSeconds },
    obstacle: null,
    bound,
    trace: held ? { ...trace, boundaries: held.boundaries } : trace,
  }
}

/** The grant with its gaps closed: what is minted has none. */
function filled(grant: Grant, fields: unknown): Grant {
  const { template: _, ...closed } = grant
  return { ...closed, fields }
}

function tracesOf(rules: readonly Rule[], grant: string, scope: Scope): RuleTrace[] {
  return rules.filter((rule) => rule.grants === "all" || rule.grants.has(grant)).map(scope.rules)
}

function notesOf(identity: Identity, ofRepository: readonly Policy[], applying: readonly Policy[]): string[] {
  const exact = applying.filter(({ target }) => target.kind === "repository")
  const notes = [...new Set(exact.map((policy) => policy.repository))]
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
