import type { ExplainAnswer } from "../wire/exchange.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import { requireMatchingKey, verifyCaller } from "./caller.ts"
import { reachVerdict } from "./verdict.ts"

/**
 * Answers as an exchange would decide. Mints nothing, records nothing, and does not use up the subject token.
 *
 * @throws {BrokerError} the same errors as an exchange before its decision
 */
export async function explain(call: ExchangeCall, broker: Broker): Promise<ExplainAnswer> {
  const caller = await verifyCaller(call, broker)
  requireMatchingKey(caller.token, call.key)
  const verdict = await reachVerdict(call, caller, broker)
  const { decision } = verdict
  const ownsPolicies = decision.outcome === "allow" || decision.ownsPolicies
  return {
    decision: verdict.outcome,
    code: verdict.outcome === "allow" ? "allowed" : verdict.error.code,
    grants: call.grants,
    policy_version: verdict.policyVersion,
    ...(ownsPolicies ? { trace: decision.trace } : {}),
  }
}
