import { BrokerError } from "../core/errors.ts"
import { type Decision, type DecisionInput, decide, type GrantedGrant } from "../core/policy/decide.ts"
import type { PoliciesInForce } from "../ports/policy-source.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import type { Caller } from "./caller.ts"

/**
 * A decision with its consequence, the grants to mint or the error to answer, and the version of the policies that decided.
 */
export type Verdict = { readonly decision: Decision; readonly policyVersion: string } & (
  | { readonly outcome: "allow"; readonly grants: readonly GrantedGrant[] }
  | { readonly outcome: "deny"; readonly error: BrokerError }
)

/**
 * Decides the caller's request. A caller whose owner is not listed is decided against an empty policy set, so the answer
 * reveals nothing about existing policies.
 *
 * The environment's host is asked about its protection only when this is the last open question: a denial costs no call.
 *
 * @throws {BrokerError} `policy_unavailable`, `policy_invalid`
 */
export async function reachVerdict(call: ExchangeCall, caller: Caller, broker: Broker): Promise<Verdict> {
  const { identity } = caller.token
  call.event.grants = call.grants
  const { snapshot } = caller
  const none: PoliciesInForce = { policies: [], version: snapshot.version, notes: [] }
  const inForce = caller.own ? await snapshot.policiesOf(identity) : none
  const input: DecisionInput = {
    organisation: snapshot.organisation,
    policies: inForce.policies,
    identity,
    grants: call.grants,
    ...(call.ttlSeconds === undefined ? {} : { ttlSeconds: call.ttlSeconds }),
    notes: inForce.notes,
  }
  const policyVersion = inForce.version
  let decision = decide(input)
  if (decision.requireBoundToken && caller.token.boundTo === null && !isRefused(decision)) {
    const error = new BrokerError("bound_token_required", BOUND_TOKEN_REQUIRED, { policyVersion })
    return { outcome: "deny", error, decision, policyVersion }
  }
  if (decision.outcome === "deny" && decision.awaitsProtection) {
    decision = decide({ ...input, protection: await broker.environments.protectionOf(identity) })
  }
  if (decision.outcome === "deny")
    return { outcome: "deny", error: refusal(decision, policyVersion), decision, policyVersion }
  return { outcome: "allow", grants: decision.grants, decision, policyVersion }
}

/** Denied, regardless of the environment's protection. */
const isRefused = (decision: Decision) => decision.outcome === "deny" && !decision.awaitsProtection

/** The trace goes only to callers whose repository owns the policies that it describes. */
function refusal(decision: Extract<Decision, { outcome: "deny" }>, policyVersion: string): BrokerError {
  if (!decision.ownsPolicies) return new BrokerError("not_allowed", NOT_ALLOWED, { policyVersion })
  const denied = decision.trace.grants.filter((grant) => grant.outcome === "deny")
  const detail = denied.map((grant) => `${grant.name}: ${grant.reason}`).join(" ")
  return new BrokerError(decision.code, detail || NOT_ALLOWED, { trace: decision.trace, policyVersion })
}

/** The same answer for a policy that is missing, that denies, or that belongs to another repository. */
const NOT_ALLOWED =
  "No policy of this broker grants this repository and environment what the job requested. Ask the maintainers of the policies to add one."

const BOUND_TOKEN_REQUIRED =
  "The requested grants need a key-bound subject token. Use the Daypass action, or bind the token to a key of the job."
