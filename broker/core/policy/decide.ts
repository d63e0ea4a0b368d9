import type { GrantTrace, RuleTrace, Trace } from "../../wire/trace.ts"
import { factsOf } from "../families/families.ts"
import type { FamilyFacts } from "../families/family-facts.ts"
import type { Identity } from "../identity.ts"
import { memoized } from "../memoized.ts"
import { type Approval, type ApprovalFact, approvalsFor } from "./break-glass.ts"
import { type Ceiling, type CeilingVerdict, ceilingFor, checkGrant } from "./ceiling.ts"
import type { ProtectionFact } from "./environment-protection.ts"
import { evaluateRule } from "./evaluate-rule.ts"
import { type Protection, protectionFor } from "./job-protection.ts"
import type { Grant, Organisation, Policy, Rule } from "./model.ts"
import { covers } from "./policy-set.ts"
import { type Denial, reasons } from "./reasons.ts"
import { conflictWithJob, fieldsFor } from "./template.ts"

export interface DecisionInput {
  readonly organisation: Organisation
  /** All policies that cover the identity's unit, for any environment; others are ignored. */
  readonly policies: readonly Policy[]
  readonly identity: Identity
  /** Names of the requested grants. */
  readonly grants: readonly string[]
  /** The requested lifetime; left out, the policy's lifetime counts. */
  readonly ttlSeconds?: number
  /** How the job's environment is protected. Left out until its host was asked; an unknown protection meets no demand. */
  readonly protection?: ProtectionFact
  /** Who approved the job's run. Left out until the environment's host was asked. */
  readonly approvals?: ApprovalFact
  /** Sentences for the trace, from the policy source. */
  readonly notes?: readonly string[]
}

/** A grant that can be minted: its gaps are filled. `ttlSeconds` is positive, and within the request and every limit. */
export interface GrantedGrant {
  readonly grant: Grant
  readonly ttlSeconds: number
  /** Who approved the job's run, where the grant demands it. */
  readonly approvals?: readonly Approval[]
}

/** All requested grants, or none. */
export type Decision =
  | {
      readonly outcome: "allow"
      readonly grants: readonly GrantedGrant[]
      readonly trace: Trace
      /** The organisation, or the connection of one of the grants, accepts only key-bound subject tokens. */
      readonly requireBoundToken: boolean
    }
  | {
      readonly outcome: "deny"
      readonly code: "not_allowed" | "ttl_too_short"
      readonly trace: Trace
      /** The caller may read the trace, because it describes policies of the caller's own unit. */
      readonly ownsPolicies: boolean
      /** The only obstacle: the environment's host was not asked yet how it is protected. Ask it, and decide again. */
      readonly awaitsProtection: boolean
      /** The only obstacle: the host was not asked yet who approved the run. Ask it, and decide again. */
      readonly awaitsApprovals: boolean
      /** As above, for all requested grants. */
      readonly requireBoundToken: boolean
    }

/**
 * Decides what a verified job gets. Pure: no clock, no I/O. The order of files, rules and conditions never matters.
 *
 * A grant needs an `allow` that names it and matches. A matching `deny` wins over every `allow`, and the organisation's
 * boundaries win over both. The ids of issuer, unit and owner decide. Names are for people, and two of them can
 * look alike.
 */
export function decide(input: DecisionInput): Decision {
  const { organisation, identity } = input
  const own = isOwnerListed(identity, organisation.issuers)
  const spoken = own ? input.policies.filter((policy) => covers(policy, identity)) : []
  const ceiling = own ? ceilingFor(organisation, identity, spoken) : []
  // A repository's own policies count only under a ceiling: without one, it could grant itself anything.
  const ofUnit = spoken.filter(({ origin }) => origin === "organisation" || ceiling.length > 0)
  const applying = ofUnit.filter((policy) => policy.environment === identity.environment)
  const asked = [...new Set(input.grants)]

  const rules = memoized((rule: Rule) => evaluateRule(rule, identity))
  const family = factsOf(organisation.issuers.get(identity.issuer)?.family)
  const protection = protectionFor(identity, family, applying, input.protection)
  const { approvals } = input
  const scope = { organisation, identity, own, family, ofUnit, applying, rules, ceiling, approvals, ...protection }
  const verdicts = asked.map((name) => verdictOf(name, scope, input.ttlSeconds))
  const trace: Trace = {
    subject: {
      issuer: identity.issuer,
      unit_kind: identity.unitKind,
      unit: identity.unit,
      unit_id: identity.unitId,
      environment: identity.environment ?? null,
    },
    policies: applying.map((policy) => policy.file),
    notes: [...notesOf(identity, applying), ...(input.notes ?? [])],
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
    ownsPolicies: ofUnit.length > 0,
    awaitsProtection: !scope.asked && onlyFor("unprotected"),
    awaitsApprovals: approvals === undefined && onlyFor("unapproved"),
    requireBoundToken,
  }
}

/** Whether the organisation file lists the identity's issuer, and the owner's id under it. */
export function isOwnerListed(identity: Identity, issuers: Organisation["issuers"]): boolean {
  const issuer = issuers.get(identity.issuer)
  // The URL is compared too: another organisation file may have come into force after the token was verified.
  if (issuer === undefined || issuer.url !== identity.issuerUrl) return false
  for (const ownerId of issuer.owners.values()) if (ownerId === identity.ownerId) return true
  return false
}

interface Scope extends Protection {
  readonly organisation: Organisation
  readonly identity: Identity
  readonly own: boolean
  readonly family: FamilyFacts
  readonly ofUnit: readonly Policy[]
  readonly applying: readonly Policy[]
  readonly rules: (rule: Rule) => RuleTrace
  readonly ceiling: Ceiling
  readonly approvals: ApprovalFact | undefined
}

/** Why a grant that the rules allow is still refused. */
type Obstacle = "too-short" | "unprotected" | "unapproved"

interface Verdict {
  readonly granted: GrantedGrant | null
  /** Null when the grant is granted, or refused by policy. */
  readonly obstacle: Obstacle | null
  /** The grant's connection accepts only key-bound subject tokens. */
  readonly bound: boolean
  readonly trace: GrantTrace
}

function verdictOf(name: string, scope: Scope, asked: number | undefined): Verdict {
  const { applying, identity, ceiling } = scope
  const [definer, other] = applying.filter((policy) => policy.grants.has(name))
  const [grant, another] = [definer?.grants.get(name), other?.grants.get(name)]
  const allows = tracesOf(
    // Defence in depth, for no such file loads: only allows of the grant's own origin count, so that a repository's policy
    // cannot allow a grant of the organisation. Denies count from every origin.
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
  const no = ([reason, change]: Denial, obstacle: Obstacle | null = null, held?: CeilingVerdict): Verdict => {
    // The rules about a name that does not exist would be those that deny everything: they say nothing about the mistake.
    const trace = { name, outcome: "deny", reason, change, rules: grant === undefined ? [] : rules } as const
    const boundaries = held ? { boundaries: held.boundaries } : {}
    return { granted: null, obstacle, bound, trace: { ...trace, ...boundaries } }
  }

  if (!scope.own) return no(reasons.stranger(identity))
  if (applying.length === 0) return no(reasons.noPolicy(scope))
  if (grant === undefined) return no(reasons.noSuchGrant(name, applying))
  if (another !== undefined) return no(reasons.definedTwice(grant, another))
  // Defence in depth: no such file loads.
  if (identity.unitKind === "person" && grant.connection.people !== true) return no(reasons.closedToPeople(grant))
  const denied = denies.find((rule) => rule.matched)
  if (denied) return no(reasons.denied(denied))
  const allowed = allows.find((rule) => rule.matched)
  if (!allowed) return no(reasons.notAllowed(name, allows, identity))
  const fields = fieldsFor(grant, identity)
  if (!fields.ok) return no(reasons.unfillable(grant, fields.fault))
  const conflict = conflictWithJob(grant, identity)
  if (conflict !== null) return no(reasons.unfillable(grant, conflict))

  const held =
    ceiling.length === 0 ? undefined : checkGrant(ceiling, { ...grant, fields: fields.value }, scope.protection)
  if (held && !held.inside && !held.onlyUnprotected)
    return no(reasons.outside(grant, held.boundaries, identity), null, held)
  if (held && held.maxTtlSeconds < grant.minTtlSeconds) return no(reasons.limitTooShort(grant, held), null, held)
  const ttlSeconds = Math.min(asked ?? Infinity, grant.ttlSeconds, held?.maxTtlSeconds ?? Infinity)
  // Written so that NaN, zero and negative values fail too.
  if (!(ttlSeconds >= grant.minTtlSeconds && ttlSeconds > 0)) return no(reasons.tooShort(grant), "too-short", held)
  // Last, because it takes calls to the environment's host.
  if (held?.onlyUnprotected || scope.unmet.length > 0) {
    return no(reasons.unprotected(scope, scope.unmet, held?.boundaries ?? []), "unprotected", held)
  }

  const approved = grant.breakGlass && approvalsFor(grant.breakGlass, identity, scope.approvals)
  if (approved?.ok === false) return no(reasons.unapproved(grant, approved.fault), "unapproved", held)

  const trace = { name, outcome: "allow", reason: reasons.allowed(allowed), ttl_seconds: ttlSeconds, rules } as const
  return {
    granted: { grant: filled(grant, fields.value), ttlSeconds, ...(approved && { approvals: approved.value }) },
    obstacle: null,
    bound,
    trace: held ? { ...trace, boundaries: held.boundaries } : trace,
  }
}

/** The grant with its gaps filled, ready to be minted. */
function filled(grant: Grant, fields: unknown): Grant {
  const { template: _, ...closed } = grant
  return { ...closed, fields }
}

function tracesOf(rules: readonly Rule[], grant: string, scope: Scope): RuleTrace[] {
  return rules.filter((rule) => rule.grants === "all" || rule.grants.has(grant)).map(scope.rules)
}

function notesOf(identity: Identity, applying: readonly Policy[]): string[] {
  const exact = applying.filter(({ target }) => target.kind === "unit")
  // A token without a name says its id instead, and a policy's name is then only for people.
  const names = identity.unit === identity.unitId ? [] : exact.map((policy) => policy.unit)
  return [...new Set(names)].filter((name) => name !== identity.unit).map((name) => reasons.renamed(identity, name))
}
