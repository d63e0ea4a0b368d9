import type { ExchangeAnswer } from "../wire/exchange.ts"
import { answerOf, tooLarge } from "./answer.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import { requireMatchingKey, verifyCaller } from "./caller.ts"
import { leaseCredentials, revokeMinted } from "./lease.ts"
import { newLeaseId } from "./lease-id.ts"
import { cachesOf, MINT_WINDOW_MS, type MintedGrant, mintAll } from "./mint.ts"
import { recorderOf } from "./record.ts"
import { reachVerdict } from "./verdict.ts"

/**
 * The whole exchange: subject token in, credentials out.
 *
 * The order makes it safe: verify, decide, record, mint, record, answer. Nothing is minted before the record of the intent
 * is durable, and nothing is answered before the record of the outcome is durable.
 *
 * @throws {BrokerError}
 */
export async function exchange(call: ExchangeCall, broker: Broker): Promise<ExchangeAnswer> {
  const caller = await verifyCaller(call, broker)
  requireMatchingKey(caller.token, call.key)
  const verdict = await reachVerdict(call, caller, broker)
  const record = recorderOf(call, caller, verdict.policyVersion, broker)
  if (verdict.outcome === "deny") throw await record.refusal(verdict.error)

  const { grants } = verdict
  const { identity } = caller.token
  const lease = newLeaseId(broker.clock.now())
  const longestMs = Math.max(...grants.map((granted) => granted.ttlSeconds)) * 1000
  await record.intent(lease, grants, broker.clock.now().getTime() + MINT_WINDOW_MS + longestMs)
  call.event.lease = lease

  const { minted, failures: failed } = await mintAll(grants, identity, lease, broker)
  const failures = failed.length > 0 ? failed : tooLarge(minted)
  const settle = async (held: readonly MintedGrant[]) => {
    const credentials = await leaseCredentials(held, identity, lease, broker)
    await record.outcome(lease, grants, { credentials, failures, caches: cachesOf(minted) })
  }
  const [failure] = failures
  if (failure) {
    // If this cannot be recorded either, the lease stays open in the ledger until its time is over.
    await settle(await revokeMinted(minted, broker)).catch(() => {})
    throw failure.error
  }
  try {
    await settle(minted)
  } catch (error) {
    // Credentials that cannot be recorded are not handed out: the sweep could not revoke them later.
    await revokeMinted(minted, broker)
    throw error
  }
  return answerOf(lease, verdict.policyVersion, minted)
}
