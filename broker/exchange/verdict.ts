import { BrokerError } from "../core/errors.ts"
import { factsOf } from "../core/families/families.ts"
import { UNITS } from "../core/families/units.ts"
import type { Identity } from "../core/identity.ts"
import { claimsRead } from "../core/policy/claims-read.ts"
import { type Decision, type DecisionInput, decide, type GrantedGrant } from "../core/policy/decide.ts"
import type { PoliciesInForce } from "../ports/policy-source.ts"
import type { Help } from "../wire/exchange.ts"
import { boundTokenRequired, sessionSeconds } from "./binding.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import type { Caller } from "./caller.ts"
import { stopped } from "./stops.ts"

/**
 * A decision with its consequence, the grants to mint or the error to answer, the version of the policies that decided, and
 * the claims that they read.
 */
export type Verdict = {
  readonly decision: Decision
  readonly policyVersion: string
  readonly claims: ReadonlySet<string>
} & (
  | { readonly outcome: "allow"; readonly grants: readonly GrantedGrant[] }
  | { readonly outcome: "deny"; readonly error: BrokerError }
)

/**
 * Decides the caller's request. A caller whose owner is not listed is decided against an empty policy set, so the answer
 * reveals nothing about existing policies. What the policies allow may still be stopped.
 *
 * The environment's host is asked about its protection, and then about approvals of the run, only when this is the last open
 * question: a denial costs no call.
 *
 * @throws {BrokerError} `policy_unavailable`, `policy_invalid`, `ledger_unavailable` while nobody can know what is stopped
 */
export async function reachVerdict(call: ExchangeCall, caller: Caller, broker: Broker): Promise<Verdict> {
  const { identity } = caller.token
  call.event.grants = call.grants
  const { snapshot } = caller
  const none: PoliciesInForce = { policies: [], version: snapshot.version, notes: [] }
  // Only for the organisation's own jobs: everybody with an account at the issuer can get a valid token.
  const help = caller.own ? snapshot.organisation.help : undefined
  const inForce = caller.own ? await snapshot.policiesOf(identity).catch(withHelp(help)) : none
  const inSession = sessionSeconds(caller, broker.clock.now())
  const ttlSeconds = Math.min(call.ttlSeconds ?? Infinity, inSession ?? Infinity)
  let input: DecisionInput = {
    organisation: snapshot.organisation,
    policies: inForce.policies,
    identity,
    grants: call.grants,
    ...(ttlSeconds === Infinity ? {} : { ttlSeconds }),
    notes: inForce.notes,
  }
  const policyVersion = inForce.version
  const claims = caller.own ? claimsRead(snapshot.organisation, inForce.policies, identity) : new Set<string>()
  let decision = decide(input)
  if (decision.requireBoundToken && caller.token.boundTo === null && !isRefused(decision)) {
    const error = new BrokerError("bound_token_required", boundTokenRequired(factsOf(caller.token.issuer.family)), {
      policyVersion,
      ...(help && { help }),
    })
    return { outcome: "deny", error, decision, policyVersion, claims }
  }
  if (decision.outcome === "deny" && decision.awaitsProtection) {
    input = { ...input, protection: await broker.environments.protectionOf(identity) }
    decision = decide(input)
  }
  if (decision.outcome === "deny" && decision.awaitsApprovals) {
    decision = decide({ ...input, approvals: await broker.environments.approvalsOf(identity) })
  }
  if (decision.outcome === "deny")
    return {
      outcome: "deny",
      error: refusal(
        decision,
        identity,
        { policyVersion, ...(help && { help }) },
        endOf(decision, inSession, ttlSeconds),
      ),
      decision,
      policyVersion,
      claims,
    }
  const { grants } = decision
  const extra = { policyVersion, ...(help && { help }) }
  const error = await stopped(
    identity,
    grants.map(({ grant }) => grant),
    broker,
    extra,
  )
  return error === null
    ? { outcome: "allow", grants, decision, policyVersion, claims }
    : { outcome: "deny", error, decision, policyVersion, claims }
}

/** Faults in a repository's own policies are a denial too. Only repositories have policies of their own. */
const withHelp = (help: Help | undefined) => (error: unknown) => {
  if (!(error instanceof BrokerError) || error.code !== "policy_invalid" || help === undefined) throw error
  throw new BrokerError(error.code, error.detail, { help })
}

/** Denied, whatever the environment's host would say. */
const isRefused = (decision: Decision) =>
  decision.outcome === "deny" && !decision.awaitsProtection && !decision.awaitsApprovals

/** The error for a denial. The trace goes only to callers whose unit owns the policies that it describes. */
export function refusal(
  decision: Extract<Decision, { outcome: "deny" }>,
  identity: Identity,
  extra: { readonly policyVersion: string; readonly help?: Help },
  note = "",
): BrokerError {
  if (!decision.ownsPolicies) return new BrokerError("not_allowed", noPolicyFor(identity), extra)
  const grantsByCause = new Map<string, string[]>()
  for (const { name, outcome, reason, change } of decision.trace.grants) {
    if (outcome === "allow") continue
    const cause = `${reason} ${change}`
    grantsByCause.set(cause, [...(grantsByCause.get(cause) ?? []), name])
  }
  const detail = [...grantsByCause].map(([cause, grants]) => `${grants.join(", ")}: ${cause}`).join(" ")
  return new BrokerError(decision.code, (detail || noPolicyFor(identity)) + note, { trace: decision.trace, ...extra })
}

/** Says that the end of the token's session made the lifetime too short, if it did. */
function endOf(decision: Decision, inSession: number | undefined, ttlSeconds: number): string {
  if (decision.outcome === "allow" || decision.code !== "ttl_too_short" || ttlSeconds !== inSession) return ""
  return ` The subject token ends in ${Math.max(0, inSession)} s, and what is granted with a DPoP proof ends with it. Get a new token.`
}

/**
 * The same answer for a policy that is missing, that denies, or that belongs to another unit. It is made of the
 * caller's own claims alone.
 */
function noPolicyFor({ unitKind, unit, unitId, environment }: Identity): string {
  const where = environment === undefined ? "no environment" : `environment ${environment}`
  return `No policy of this broker grants what this job requested to ${unit} (${UNITS[unitKind].idKey ?? unitKind} "${unitId}") in ${where}. Policies for it are usually in the folder ${unit}/ beside the organisation file.`
}
