import { BrokerError } from "../core/errors.ts"
import { type Decision, type DecisionInput, decide, type GrantedGrant } from "../core/policy/decide.ts"
import type { PoliciesInForce } from "../ports/policy-source.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import type { Caller } from "./caller.ts"

/** A decision as the exchange acts on it: these grants, or this error; and the version of the policies that it is by. */
export type Verdict = { readonly decision: Decision; readonly policyVersion: string } & (
  | { readonly outcome: "allow"; readonly grants: readonly GrantedGrant[] }
  | { readonly outcome: "deny"; readonly error: BrokerError }
)

/**
 * Decides what the caller asked for. A stranger is decided against no policy at all: the answer is everybody's.
 *
 * The environment's host is asked how it protects it only when nothing else stands in the way: a denial costs no call.
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

/** Denied, whatever the environment's host would answer. */
const isRefused = (decision: Decision) => decision.outcome === "deny" && !decision.awaitsProtection

/** The trace goes only to callers whose repository owns the policies it tells of. */
function refusal(decision: Extract<Decision, { outcome: "deny" }>, policyVersion: string): BrokerError {
  if (!decision.ownsPolicies) return new BrokerError("not_allowed", NOT_ALLOWED, { policyVersion })
  const denied = decision.trace.grants.filter((grant) => grant.outcome === "deny")
  const detail = denied.map((grant) => `${grant.name}: ${grant.reason}`).join(" ")
  return new BrokerError(decision.code, detail || NOT_ALLOWED, { trace: decision.trace, policyVersion })
}

/** One answer for what is absent, what is forbidden, and what belongs to somebody else. */
const NOT_ALLOWED =
  "No policy of this broker allows this repository and environment what was asked for. Ask whoever keeps the policies to add one."

const BOUND_TOKEN_REQUIRED =
  "What was asked for is given to key-bound subject tokens only. Use the Daypass action, or bind the token to a key of the job's."
