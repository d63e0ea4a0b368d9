import { BrokerError } from "../core/errors.ts"
import { type Decision, decide, type GrantedGrant } from "../core/policy/decide.ts"
import type { ExchangeCall } from "./call.ts"
import type { Caller } from "./caller.ts"

/** A decision as the exchange acts on it: these grants, or this error. */
export type Verdict =
  | { readonly outcome: "allow"; readonly grants: readonly GrantedGrant[]; readonly decision: Decision }
  | { readonly outcome: "deny"; readonly error: BrokerError; readonly decision: Decision }

/** Decides what the caller asked for. A stranger is decided against no policy at all: the answer is everybody's. */
export async function reachVerdict(call: ExchangeCall, caller: Caller): Promise<Verdict> {
  const { identity } = caller.token
  call.event.grants = call.grants
  const decision = decide({
    organisation: caller.policies.organisation,
    policies: caller.own ? await caller.policies.policiesOf(identity.issuer, identity.repositoryId) : [],
    identity,
    grants: call.grants,
    ...(call.ttlSeconds === undefined ? {} : { ttlSeconds: call.ttlSeconds }),
  })
  if (decision.outcome === "deny") return { outcome: "deny", error: refusal(decision), decision }
  if (decision.requireBoundToken && caller.token.boundTo === null) {
    return { outcome: "deny", error: new BrokerError("bound_token_required", BOUND_TOKEN_REQUIRED), decision }
  }
  return { outcome: "allow", grants: decision.grants, decision }
}

/** The trace goes only to callers whose repository owns the policies it tells of. */
function refusal(decision: Extract<Decision, { outcome: "deny" }>): BrokerError {
  if (!decision.ownsPolicies) return new BrokerError("not_allowed", NOT_ALLOWED)
  const denied = decision.trace.grants.filter((grant) => grant.outcome === "deny")
  const detail = denied.map((grant) => `${grant.name}: ${grant.reason}`).join(" ")
  return new BrokerError(decision.code, detail || NOT_ALLOWED, { trace: decision.trace })
}

/** One answer for what is absent, what is forbidden, and what belongs to somebody else. */
const NOT_ALLOWED =
  "No policy of this broker allows this repository and environment what was asked for. Ask whoever keeps the policies to add one."

const BOUND_TOKEN_REQUIRED =
  "What was asked for is given to key-bound subject tokens only. Use the Daypass action, or bind the token to a key of the job's."
