import { BrokerError } from "../core/errors.ts"
import type { Identity } from "../core/identity.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import { tooLarge } from "./answer.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import { learntOf } from "./learnt.ts"
import { leaseCredentials, revokeMinted } from "./lease.ts"
import { isLocal, type MintedGrant, type MintFailure, mintAll } from "./mint.ts"
import type { ExchangeOutcome, Recorder } from "./record.ts"

/** An exchange that was allowed. */
interface Act {
  readonly call: ExchangeCall
  readonly identity: Identity
  readonly grants: readonly GrantedGrant[]
  readonly lease: string
  readonly record: Recorder
  readonly broker: Broker
}

/**
 * Mints all grants of an exchange, and returns them when their record is durable: only then may they be handed out. Otherwise
 * everything was revoked or thrown away, and the record says so as far as it can be written.
 *
 * @throws {BrokerError} of the first grant that failed, of the ledger, or `client_gone`
 */
export function mintRecorded(act: Act): Promise<readonly MintedGrant[]> {
  return act.grants.every((granted) => isLocal(granted, act.broker)) ? mintInMemory(act) : mintOutside(act)
}

/** Nothing is minted before the record of the intent is durable. */
async function mintOutside(act: Act): Promise<readonly MintedGrant[]> {
  await intend(act)
  const { minted, failures, gone } = await mint(act)
  if (failures.length > 0 || gone) return await giveUp(act, minted, failures)
  try {
    await settle(act, minted, { minted, failures: [], lost: null })
    return minted
  } catch (error) {
    // Credentials that cannot be recorded are not handed out: the sweep could not revoke them later.
    await takeBack(act, minted, [], error instanceof BrokerError ? error.code : "internal")
    throw error
  }
}

/**
 * What the broker mints in its memory exists for nobody before the answer. So it is minted first, and one record says that it
 * was asked for and minted. If that cannot be written, what was minted is thrown away unseen.
 */
async function mintInMemory(act: Act): Promise<readonly MintedGrant[]> {
  const { call, lease, grants, identity, record, broker } = act
  const { minted, failures, gone } = await mint(act)
  if (failures.length > 0 || gone) {
    await intend(act)
    return await giveUp(act, minted, failures)
  }
  await record.minted(lease, grants, {
    credentials: await leaseCredentials(minted, identity, lease, broker),
    learnt: learntOf(minted, broker.cryptography),
  })
  call.event.lease = lease
  return minted
}

async function intend({ call, lease, grants, record }: Act): Promise<void> {
  await record.intent(lease, grants)
  call.event.lease = lease
}

async function mint({ call, identity, grants, lease, record, broker }: Act) {
  const { minted, failures: failed } = await mintAll(
    grants,
    { identity, lease, holder: call.key?.thumbprint ?? null },
    (granted, handle, expiresAt) => record.prepare(lease, granted, handle, expiresAt),
    broker,
  )
  const failures = failed.length > 0 ? failed : tooLarge(minted)
  return { minted, failures, gone: failures.length === 0 && call.isGone() }
}

/** Revokes what was minted, and fails the exchange: because of a failure, or because the client is gone. */
async function giveUp(act: Act, minted: readonly MintedGrant[], failures: readonly MintFailure[]): Promise<never> {
  const [failure] = failures
  await takeBack(act, minted, failures, failure === undefined ? "client_gone" : null)
  throw failure?.error ?? clientGone()
}

async function takeBack(
  act: Act,
  minted: readonly MintedGrant[],
  failures: readonly MintFailure[],
  lost: ExchangeOutcome["lost"],
): Promise<void> {
  const alive = await revokeMinted(minted, act.identity, act.lease, act.broker)
  // If this cannot be recorded either, the lease stays open in the ledger, and the sweep ends it.
  await settle(act, alive, { minted, failures, lost }).catch(() => {})
}

/** Records the outcome. `held`: the credentials that the lease has now. */
async function settle(
  { identity, lease, grants, record, broker }: Act,
  held: readonly MintedGrant[],
  { minted, failures, lost }: Pick<ExchangeOutcome, "failures" | "lost"> & { readonly minted: readonly MintedGrant[] },
): Promise<void> {
  const credentials = await leaseCredentials(held, identity, lease, broker)
  await record.outcome(lease, grants, { credentials, failures, lost, learnt: learntOf(minted, broker.cryptography) })
}

/** Only the log shows this error, because the client is gone. */
export const clientGone = () =>
  new BrokerError("client_gone", "The client ended the connection. What was minted for it was revoked.")
