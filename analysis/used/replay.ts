import { cautionsOf, markedValues } from "../../broker/core/families/cautions.ts"
import { factsOf } from "../../broker/core/families/families.ts"
import type { Caution, Claims, ClaimValue, Identity } from "../../broker/core/identity.ts"
import { memoized } from "../../broker/core/memoized.ts"
import { claimsRead } from "../../broker/core/policy/claims-read.ts"
import { type Decision, decide } from "../../broker/core/policy/decide.ts"
import type { Policy, PolicySet, PolicySubject } from "../../broker/core/policy/model.ts"
import { covers } from "../../broker/core/policy/policy-set.ts"
import type { Trace } from "../../broker/wire/trace.ts"
import { type Demand, singly } from "../reach/offers.ts"
import { type RunGroup, type RunUnit, subjectIn } from "./runs.ts"
import { type Assumption, assume } from "./uncertain.ts"

/**
 * What a policy set gives to recorded runs. `protected`: everything but the environment's protection and approvals of the run is
 * known, and allows it; only its host knows whether it meets the demands. `unknown`: it depends on claims that the record does not have.
 */
export type Replayed =
  | { readonly outcome: "allow"; readonly trace: Trace }
  | { readonly outcome: "deny"; readonly trace: Trace | null; readonly why: "policy" | "issuer" | "unbound" }
  | { readonly outcome: "protected"; readonly trace: Trace; readonly demands: readonly Demand[] }
  | { readonly outcome: "unknown"; readonly trace: Trace; readonly claims: readonly string[] }

/**
 * Decides recorded runs again, with the broker's own engine. Never guesses: a claim that the record does not have may have any
 * value, and if that matters, the outcome is `unknown`.
 *
 * A claim that is not in a record was not in the token if the policies then read it. They surely did if they are this set, or if
 * another record of the same unit and the same version of the policies has the claim.
 */
export class Replayer {
  readonly #set: PolicySet
  readonly #policies = memoized((unit: RunUnit) => this.#ofUnit(unit), new WeakMap())

  constructor(set: PolicySet) {
    this.#set = set
  }

  replay(group: RunGroup): Replayed {
    const { organisation } = this.#set
    const unit = this.#policies(group.unit)
    if (unit === null) return { outcome: "deny", trace: null, why: "issuer" }
    const unknown = this.#unknownOf(group, unit)
    const cautious = identityOf(group, unit.subject, this.#set)
    const run = (assumption: Assumption, unprotected: boolean): Decision =>
      decide({
        ...assumed(unknown, assumption, unprotected),
        identity: { ...cautious.identity, cautions: cautious[assumption] },
        grants: group.asked,
      })
    const assumed = (claims: ReadonlySet<string>, assumption: Assumption, unprotected: boolean) => {
      if (claims.size === 0 && !unprotected) return { organisation, policies: unit.policies }
      const { boundaries, policies } = assume(organisation, unit.policies, claims, { assumption, unprotected })
      return { organisation: { ...organisation, boundaries }, policies }
    }

    const least = run("least", false)
    if (least.outcome === "allow") return this.#bound(group, least)
    const isSure = unknown.size === 0 && cautious.least.length === cautious.most.length
    if (isSure && !least.awaitsProtection) return { outcome: "deny", trace: least.trace, why: "policy" }
    const most = run("most", true)
    if (most.outcome === "deny") return { outcome: "deny", trace: least.trace, why: "policy" }
    const open = run("least", true)
    if (open.outcome === "deny") return { outcome: "unknown", trace: most.trace, claims: missingOf(unknown, cautious) }
    const bound = this.#bound(group, open)
    if (bound.outcome !== "allow") return bound
    return { outcome: "protected", trace: open.trace, demands: this.#demandsOn(group, unit, least.trace) }
  }

  /** A token that is not bound gets nothing where the policies demand it. */
  #bound({ bound }: RunGroup, { requireBoundToken, trace }: Decision): Replayed {
    if (!requireBoundToken || bound === true) return { outcome: "allow", trace }
    if (bound === null) return { outcome: "unknown", trace, claims: ["token_binding"] }
    return { outcome: "deny", trace, why: "unbound" }
  }

  #ofUnit(unit: RunUnit): UnitPolicies | null {
    const subject = subjectIn(this.#set, unit)
    if (subject === null) return null
    const policies = this.#set.policiesOf(subject)
    return { subject, policies, reads: claimsRead(this.#set.organisation, policies, { cautions: [] }) }
  }

  #unknownOf(
    { claims, absent, complete, policyVersion, unit }: RunGroup,
    { reads }: UnitPolicies,
  ): ReadonlySet<string> {
    const wasRead = (name: string) =>
      policyVersion !== null &&
      (policyVersion === this.#set.version || unit.read.get(policyVersion)?.has(name) === true)
    return new Set(
      [...reads].filter((name) => {
        const value = claims.get(name)
        if (value !== undefined) return value === null
        if (absent.has(name) || CAUTIONS.has(name)) return false
        return !(complete && wasRead(name))
      }),
    )
  }

  /** All demands of the policies, the boundaries and the grants that the run meets. */
  #demandsOn({ environment, asked }: RunGroup, { policies, subject }: UnitPolicies, trace: Trace): readonly Demand[] {
    const applies = (policy: Policy) => covers(policy, subject) && (policy.environment ?? null) === environment
    const applying = policies.filter(applies)
    const own = applying.flatMap(({ protectedEnvironment }) => protectedEnvironment ?? [])
    const approvals = asked.flatMap((name) => applying.flatMap(({ grants }) => grants.get(name)?.breakGlass ?? []))
    const demanding = trace.grants.flatMap(({ boundaries = [] }) =>
      boundaries.filter((one) => one.environment.length > 0),
    )
    const lines = new Set(demanding.map(({ line }) => line))
    const above = this.#set.organisation.boundaries.filter(({ line }) => lines.has(line))
    const demanded = [...own, ...above.flatMap(({ protectedEnvironment }) => protectedEnvironment ?? [])]
    return [...demanded.flatMap(singly), ...approvals]
  }
}

interface UnitPolicies {
  readonly subject: PolicySubject
  readonly policies: readonly Policy[]
  /** The claims that they read of any job. */
  readonly reads: ReadonlySet<string>
}

/** The claims that say what a job is. Where they are not known, `least` has a caution for them. */
const CAUTIONS: ReadonlySet<string> = new Set(["outsider", "interactive"])

/** A job as its record describes it. `most` and `least`: the fewest and the most that an `allow` could have to name. */
interface Cautious {
  readonly identity: Identity
  readonly most: readonly Caution[]
  readonly least: readonly Caution[]
}

function identityOf(
  { unit, environment, claims, absent, complete }: RunGroup,
  subject: PolicySubject,
  set: PolicySet,
): Cautious {
  const family = factsOf(set.organisation.issuers.get(subject.issuer)?.family)
  const known: Record<string, ClaimValue> = Object.create(null)
  for (const [name, value] of claims) if (value !== null) known[name] = value
  const most: Caution[] = [...cautionsOf(family, known)]
  const least: Caution[] = [...most]
  // What is unusual about a job of such a family stands in claims that the record has.
  const isTold =
    complete ||
    (family.furtherCautions === undefined &&
      markedValues(family).every(([claim]) => claims.has(claim) || absent.has(claim)))
  for (const fact of ["outsider", "interactive"] as const) {
    const isSo = known[fact] === "true"
    if (isTold && known[fact] === undefined) known[fact] = String(most.some((one) => one.fact === fact))
    const unnamed: Caution = { fact, why: "the record says so" }
    if (isSo && !most.some((one) => one.fact === fact)) most.push(unnamed)
    // Such a family knows cautions of which no single claim tells, so a job can have one beside those that are found here.
    if ((isSo && family.furtherCautions !== undefined) || !isTold) least.push(unnamed)
    else if (isSo && !least.some((one) => one.fact === fact)) least.push(unnamed)
  }
  const text = (name: string | undefined) => {
    const value = name === undefined ? undefined : known[name]
    return typeof value === "string" ? value : null
  }
  const { roles } = family
  const isProtected = text(roles.environmentProtected)
  const identity: Identity = {
    issuer: subject.issuer,
    issuerUrl: unit.issuerUrl,
    unitKind: family.unit,
    unit: unit.unit,
    unitId: unit.unit_id,
    owner: unit.owner,
    ownerId: unit.owner_id,
    ...(environment === null ? {} : { environment }),
    ...(environment === null || isProtected === null ? {} : { environmentProtected: isProtected === "true" }),
    ref: text(roles.ref),
    refType: null,
    event: text(roles.event),
    actor: text(roles.actor),
    actorId: text(roles.actorId),
    runId: "",
    runAttempt: "",
    cautions: most,
    claims: known as Claims,
  }
  return { identity, most, least }
}

function missingOf(unknown: ReadonlySet<string>, { most, least }: Cautious): readonly string[] {
  const facts = least.slice(most.length).map(({ fact }) => fact)
  return [...new Set([...unknown, ...facts])].sort()
}
