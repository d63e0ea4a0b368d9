import { BrokerError } from "../core/errors.ts"
import type { ExchangeAnswer } from "../wire/exchange.ts"
import { newLeaseId } from "../wire/lease-id.ts"
import { answerOf, tooLarge } from "./answer.ts"
import { requireMatchingKey } from "./binding.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import { verifyCaller } from "./caller.ts"
import { learntOf } from "./learnt.ts"
import { leaseCredentials, outcomesOfRevoking, revokeMinted } from "./lease.ts"
import { type MintedGrant, mintAll, type Prepare } from "./mint.ts"
import { type ExchangeOutcome, recorderOf, suspectUnbound } from "./record.ts"
import { reachVerdict } from "./verdict.ts"

/**
 * The whole exchange: subject token in, credentials out.
 *
 * The order makes it safe: verify, decide, record, mint, record, answer. Nothing is minted before the record of the intent
 * is durable, and nothing is answered before the record of the outcome is durable. A client that is gone by then gets
 * nothing: what was minted for it is revoked.
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
  await record.intent(lease, grants)
  call.event.lease = lease

  const prepare: Prepare = (granted, handle, expiresAt) => record.prepare(lease, granted, handle, expiresAt)
  const { minted, failures: failed } = await mintAll(grants, identity, lease, prepare, broker)
  const failures = failed.length > 0 ? failed : tooLarge(minted)
  const gone = failures.length === 0 && call.isGone()
  const settle = async (held: readonly MintedGrant[], lost: ExchangeOutcome["lost"]) => {
    const credentials = await leaseCredentials(held, identity, lease, broker)
    await record.outcome(lease, grants, { credentials, failures, lost, learnt: learntOf(minted) })
  }
  const takeBack = async (lost: ExchangeOutcome["lost"]) =>
    // If this cannot be recorded either, the lease stays open in the ledger, and the sweep ends it.
    await settle(await revokeMinted(minted, identity, lease, broker), lost).catch(() => {})
  const [failure] = failures
  if (failure || gone) {
    await takeBack(gone ? "client_gone" : null)
    throw failure?.error ?? clientGone()
  }
  try {
    await settle(minted, null)
  } catch (error) {
    // Credentials that cannot be recorded are not handed out: the sweep could not revoke them later.
    await takeBack(error instanceof BrokerError ? error.code : "internal")
    throw error
  }
  if (call.isGone()) {
    await record.abandoned(lease, await outcomesOfRevoking(minted, identity, lease, broker))
    throw clientGone()
  }
  return answerOf(lease, verdict.policyVersion, minted, call.ttlSeconds)
}

/** Only the log shows this error, because the client is gone. */
const clientGone = () =>
  new BrokerError("client_gone", "The client ended the connection. What was minted for it was revoked.")
