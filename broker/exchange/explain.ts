import { BrokerError } from "../core/errors.ts"
import { grantLimitOf, limitsOf } from "../core/policy/limits.ts"
import type { Standing } from "../ports/ledger.ts"
import type { ExplainAnswer, LimitsAnswer } from "../wire/exchange.ts"
import { requireMatchingKey } from "./binding.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import { type Caller, verifyCaller } from "./caller.ts"
import { ledgerOf } from "./record.ts"
import { reachVerdict, type Verdict } from "./verdict.ts"

/**
 * Answers as an exchange would decide. Mints nothing, records nothing, and does not use up the subject token or its proof.
 * Says how the unit stands with its limits.
 *
 * @throws {BrokerError} the same errors as an exchange before its decision
 */
export async function explain(call: ExchangeCall, broker: Broker): Promise<ExplainAnswer> {
  const caller = await verifyCaller(call, broker)
  requireMatchingKey(caller, call.key)
  const verdict = await reachVerdict(call, caller, broker)
  const { decision } = verdict
  const { limits, notes = [] } = caller.own ? await limitsOfCaller(caller, verdict, broker) : {}
  // The trace tells only what the policies say.
  const stop = verdict.outcome === "deny" && verdict.error.code === "stopped" ? [verdict.error.detail] : []
  const ownsPolicies = decision.outcome === "allow" || decision.ownsPolicies
  return {
    decision: verdict.outcome,
    code: verdict.outcome === "allow" ? "allowed" : verdict.error.code,
    grants: call.grants,
    policy_version: verdict.policyVersion,
    ...(ownsPolicies ? { trace: decision.trace } : {}),
    ...(limits && { limits }),
    ...(stop.length + notes.length > 0 && { notes: [...stop, ...notes] }),
  }
}

/** A ledger that cannot be read must not hide the decision: people ask for it to find out what is wrong. */
async function limitsOfCaller(
  caller: Caller,
  verdict: Verdict,
  broker: Broker,
): Promise<Pick<ExplainAnswer, "limits" | "notes">> {
  const { identity } = caller.token
  let standing: Standing
  try {
    standing = await ledgerOf(caller, broker).standing(broker.clock.now().getTime())
  } catch (error) {
    if (!(error instanceof BrokerError) || error.code !== "ledger_unavailable") throw error
    return {
      notes: ["The ledger of this unit cannot be read, so it is unknown how much of its limits is used up."],
    }
  }
  const { exchangesPerMinute, openLeases, denialsPerHour } = limitsOf(caller.snapshot.organisation, identity)
  const { exchanges, denials } = standing
  const granted = verdict.outcome === "allow" ? verdict.grants : []
  const ofGrants = granted.flatMap(({ grant }) => grantLimitOf(grant, identity.environment) ?? [])
  const limits: LimitsAnswer = {
    exchanges_per_minute: {
      ...exchangesPerMinute,
      used: exchanges.used,
      resets_in_seconds: exchanges.resetsInSeconds,
    },
    open_leases: { ...openLeases, used: standing.openLeases },
    denials_per_hour: {
      ...denialsPerHour,
      used: denials.used,
      counted: denials.counted,
      resets_in_seconds: denials.resetsInSeconds,
    },
    ...(ofGrants.length === 0
      ? {}
      : { max_open_leases: Object.fromEntries(ofGrants.map(({ grant, max, source }) => [grant, { max, source }])) }),
  }
  return { limits }
}
