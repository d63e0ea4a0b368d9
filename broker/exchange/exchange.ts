import type { ExchangeAnswer } from "../wire/exchange.ts"
import { newLeaseId } from "../wire/lease-id.ts"
import { answerOf } from "./answer.ts"
import { requireMatchingKey } from "./binding.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import { verifyCaller } from "./caller.ts"
import { outcomesOfRevoking } from "./lease.ts"
import { clientGone, mintRecorded } from "./mint-recorded.ts"
import { recorderOf, suspectUnbound } from "./record.ts"
import { reachVerdict } from "./verdict.ts"

/**
 * The whole exchange: subject token in, credentials out.
 *
 * The order makes it safe: verify, decide, record, mint, record, answer. Nothing is minted before the record of the intent
 * is durable, and nothing is answered before the record of the outcome is durable. A client that is gone by then gets
 * nothing: what was minted for it is revoked.
 *
 * Where the broker alone mints, in memory, one record is enough. Nothing of it exists for anybody before the answer, so it is
 * minted first. What cannot be recorded then is thrown away.
 *
 * @throws {BrokerError}
 */
export async function exchange(call: ExchangeCall, broker: Broker): Promise<ExchangeAnswer> {
  const caller = await verifyCaller(call, broker)
  try {
    requireMatchingKey(caller, call.key)
  } catch (error) {
    // The refusal does not depend on its record.
    await suspectUnbound(call, caller, broker).catch(() => {})
    throw error
  }
  const verdict = await reachVerdict(call, caller, broker)
  const record = recorderOf(call, caller, verdict, broker)
  if (verdict.outcome === "deny") throw await record.refusal(verdict.error)
  const unfit = call.unfit?.(verdict.grants) ?? null
  if (unfit !== null) throw await record.refusal(unfit)

  const { grants } = verdict
  const { identity } = caller.token
  const lease = call.lease ?? newLeaseId(broker.clock.now(), crypto.randomUUID())
  const minted = await mintRecorded({ call, identity, grants, lease, record, broker })
  if (call.isGone()) {
    await record.abandoned(lease, await outcomesOfRevoking(minted, identity, lease, broker))
    throw clientGone()
  }
  return answerOf(lease, verdict.policyVersion, minted, call.ttlSeconds)
}
