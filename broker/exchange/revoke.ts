import { BrokerError } from "../core/errors.ts"
import type { LeaseCredentialState, LeaseOfRun, Ledger } from "../ports/ledger.ts"
import type { RevocationOutcome, RevokeAnswer } from "../wire/exchange.ts"
import { draftOf } from "./audit-draft.ts"
import { requireOwnProof } from "./binding.ts"
import type { Broker } from "./broker.ts"
import type { RevokeCall } from "./call.ts"
import { type Revoker, verifyRevoker } from "./caller.ts"
import { handleContext } from "./lease.ts"
import type { RevokedLease } from "./owed.ts"
import { alreadyUsed, ledgerOf, useOf } from "./record.ts"
import { type Revocable, type Revoking, revokeAll, tellFailure } from "./revoke-all.ts"

/**
 * Closes a lease of the caller's own run and attempt, and revokes the credentials that can be revoked.
 *
 * The subject token may be bound to a key that no longer exists: such a token can end credentials, but never get any. A
 * second call does not revoke again: it answers the outcome of the first. While the exchange of the lease is under way, the
 * exchange itself revokes what it mints.
 *
 * Nothing that jobs can use up stands in its way: it needs no policies, no connection, and no room on a disk.
 *
 * @throws {BrokerError} `lease_not_found`, the same for a lease that does not exist, of another unit, and of another run
 */
export async function revoke(call: RevokeCall, broker: Broker): Promise<RevokeAnswer> {
  const caller = await verifyRevoker(call, broker)
  requireOwnProof(caller)
  if (!caller.own) throw notFound()
  call.event.lease = call.lease
  // At the same time: the records of other leases may wait for slow ledgers, and this lease's credentials must not.
  const paying = broker.owed.pay()
  try {
    return await endLease(call, caller, broker)
  } finally {
    await paying
  }
}

async function endLease(call: RevokeCall, caller: Revoker, broker: Broker): Promise<RevokeAnswer> {
  const { identity } = caller.token
  const { issuerUrl, unitId, runId, runAttempt } = identity
  const ledger = ledgerOf(caller, broker)
  const of = { lease: call.lease, issuerUrl, unitId }
  const draft = draftOf(call, caller, caller.policyVersion, broker)
  const request = { lease: call.lease, runId, runAttempt }
  const start = await ledger
    .beginRevocation({
      ...request,
      token: useOf(caller),
      now: broker.clock.now().getTime(),
      limits: caller.limits,
      audit: draft("lease.revoking", { reason: "asked by the job", lease: call.lease }),
      replayAudit: draft("token.replayed", { reason: "token_already_used", decision: "deny" }),
      foreignAudit: draft("lease.refused", { reason: "asked by another run", decision: "deny", lease: call.lease }),
    })
    .catch((error: unknown) => unrecorded(error, ledger, request))
  if (start.outcome === "already-used") throw alreadyUsed()
  if (start.outcome === "not-found") throw notFound()
  if (start.outcome === "done" || start.outcome === "busy" || start.outcome === "open") {
    return answerOf(call.lease, start, outcomesOf(start.credentials, start.outcome), true)
  }

  const outcomes = await endCredentials(start.credentials, of, broker)
  const settlement = {
    lease: call.lease,
    outcomes,
    now: broker.clock.now().getTime(),
    audit: draft("lease.closed", { reason: summary(outcomes), lease: call.lease }),
  }
  const recorded = start.outcome === "begun" && (await isRecorded(ledger.settleRevocation(settlement)))
  if (!recorded) broker.owed.keep(of, settlement)
  return answerOf(call.lease, start, outcomes, recorded)
}

/** A revocation that goes on although its beginning could not be recorded. */
type Unrecorded = {
  readonly outcome: "unrecorded"
  readonly credentials: readonly LeaseCredentialState[]
  readonly unknownUntil?: number
}

/**
 * Storage that cannot be written must not keep a credential alive: it is read, the provider is asked, and the record follows
 * later. The subject token is not used up then. Whoever sends it again can only revoke the same lease again.
 */
async function unrecorded(error: unknown, ledger: Ledger, request: LeaseOfRun): Promise<Unrecorded> {
  if (!isUnavailable(error)) throw error
  const credentials = await ledger.look(request).catch(() => Promise.reject(error))
  // Without a record that the job is over, an exchange that is still on its way could mint for it: the job must ask again.
  if (credentials === null) throw error
  return { outcome: "unrecorded", credentials }
}

/** False when the storage failed. @throws every other error */
export async function isRecorded(recording: Promise<void>): Promise<boolean> {
  try {
    await recording
    return true
  } catch (error) {
    if (isUnavailable(error)) return false
    throw error
  }
}

const isUnavailable = (error: unknown) => error instanceof BrokerError && error.code === "ledger_unavailable"

/**
 * Revokes what can be revoked, and returns the outcome of every credential. Never throws: when a handle cannot be unsealed,
 * the credential counts as not revoked, and the log says so. The sweep retries it until the lease ends.
 */
export async function endCredentials(
  credentials: readonly LeaseCredentialState[],
  of: RevokedLease,
  broker: Broker,
  revoking?: Revoking,
): Promise<Outcomes> {
  const alive = credentials.filter((credential) => credential.ended === null)
  const opened = await Promise.all(alive.map((credential) => openHandle(credential, of, broker)))
  const taken = await revokeAll(
    opened.filter((credential) => credential !== null),
    of,
    broker,
    undefined,
    revoking,
  )
  return { ...outcomesOf(credentials, "done"), ...taken }
}

type Outcomes = Readonly<Record<string, RevocationOutcome>>

async function openHandle(
  { grant, provider, connection, sealedHandle }: LeaseCredentialState,
  of: RevokedLease,
  broker: Broker,
): Promise<Revocable | null> {
  if (sealedHandle === null) return null
  try {
    return {
      grant,
      provider,
      connection,
      handle: await broker.sealer.open(sealedHandle, handleContext(of, of.lease, grant)),
    }
  } catch {
    tellFailure(
      of,
      connection,
      `${grant} is not revoked yet: its handle cannot be opened with this DAYPASS_KEK`,
      broker,
    )
    return null
  }
}

/** The outcomes that the ledger already knows. A credential without a known end is being revoked, or is not revoked. */
function outcomesOf(credentials: readonly LeaseCredentialState[], start: "done" | "busy" | "open"): Outcomes {
  const unended = start === "done" ? "failed" : "revoking"
  return Object.fromEntries(
    credentials.map(({ grant, ended, revocation }) => {
      if (ended === "expired" || (ended === null && revocation === "expires-only")) return [grant, "expires-only"]
      return [grant, ended ?? unended]
    }),
  )
}

/** The outcomes of a lease's credentials, for the audit record: `revoked 1, expires-only 2`. */
export function summary(outcomes: Outcomes): string {
  const counts = new Map<string, number>()
  for (const outcome of Object.values(outcomes)) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, count]) => `${outcome} ${count}`).join(", ") || "nothing was minted"
}

function answerOf(
  lease: string,
  { credentials, unknownUntil }: Pick<Unrecorded, "credentials" | "unknownUntil">,
  outcomes: Outcomes,
  recorded: boolean,
): RevokeAnswer {
  const ended = credentials.map(({ grant, expiresAt }) => {
    const expires_at = expiresAt === null ? null : new Date(expiresAt).toISOString()
    return [grant, { outcome: outcomes[grant] ?? "failed", expires_at }] as const
  })
  return {
    lease,
    ...(recorded ? {} : { record_due: true }),
    ...(unknownUntil === undefined
      ? {}
      : { unknown_until: unknownUntil === 0 ? null : new Date(unknownUntil).toISOString() }),
    credentials: Object.fromEntries(ended),
  }
}

const notFound = () =>
  new BrokerError(
    "lease_not_found",
    "This job has no such lease. Only the run and attempt that opened a lease can revoke it.",
  )
