import { BrokerError } from "../core/errors.ts"
import type { Organisation } from "../core/policy/model.ts"
import type { LeaseCredentialState } from "../ports/ledger.ts"
import type { RevocationOutcome, RevokeAnswer } from "../wire/exchange.ts"
import type { Broker } from "./broker.ts"
import type { RevokeCall } from "./call.ts"
import { verifyCaller } from "./caller.ts"
import { handleContext } from "./lease.ts"
import { alreadyUsed, draftOf, ledgerOf, useOf } from "./record.ts"
import { type Revocable, takeBack } from "./take-back.ts"

/**
 * The way back: closes a lease of the caller's own run and attempt, and revokes what can be revoked.
 *
 * The subject token may be bound to a key that nobody has any more: such a token can end credentials and never get any.
 * Revoking twice is one revocation: the second call answers what the first came to.
 *
 * @throws {BrokerError} `lease_not_found` alike for a lease that never was, of another repository, or of another run
 */
export async function revoke(call: RevokeCall, broker: Broker): Promise<RevokeAnswer> {
  const caller = await verifyCaller(call, broker)
  if (!caller.own) throw notFound()
  call.event.lease = call.lease

  const { identity } = caller.token
  const ledger = ledgerOf(caller, broker)
  const draft = draftOf(call, caller, broker)
  const start = await ledger.beginRevocation({
    lease: call.lease,
    runId: identity.runId,
    runAttempt: identity.runAttempt,
    token: useOf(caller),
    now: broker.clock.now().getTime(),
    audit: draft("lease.revoking", { reason: "asked by the job", lease: call.lease }),
    replayAudit: draft("token.replayed", { reason: "token_already_used", decision: "deny" }),
  })
  if (start.outcome === "already-used") throw alreadyUsed()
  if (start.outcome === "not-found") throw notFound()
  if (start.outcome === "done") return answer(call.lease, start.credentials, {})

  const outcomes = await endCredentials(call.lease, start.credentials, identity, caller.policies.organisation, broker)
  await ledger.settleRevocation({
    lease: call.lease,
    outcomes,
    now: broker.clock.now().getTime(),
    audit: draft("lease.closed", { reason: summary(outcomes), lease: call.lease }),
  })
  return answer(call.lease, start.credentials, outcomes)
}

/** Ends each credential as it can be ended. Never throws: a handle that does not open counts as not revoked. */
export async function endCredentials(
  lease: string,
  credentials: readonly LeaseCredentialState[],
  ledger: { readonly issuerUrl: string; readonly repositoryId: string },
  organisation: Organisation,
  broker: Broker,
): Promise<Record<string, RevocationOutcome>> {
  const living = credentials.filter((credential) => credential.ended === null)
  const outcomes: Record<string, RevocationOutcome> = {}
  const revocable: Revocable[] = []
  for (const credential of living) {
    outcomes[credential.grant] = credential.sealedHandle === null ? "expires-only" : "failed"
    if (credential.sealedHandle === null) continue
    try {
      const handle = await broker.sealer.open(credential.sealedHandle, handleContext(ledger, lease, credential.grant))
      const connection = organisation.connections.get(credential.connection)
      revocable.push({ grant: credential.grant, provider: credential.provider, connection, handle })
    } catch {
      // Stays `failed`: it is tried again, and ends with its lease at the latest.
    }
  }
  return { ...outcomes, ...(await takeBack(revocable, broker)) }
}

/** What became of a lease's credentials, for the audit record: `revoked 1, expires-only 2`. */
export function summary(outcomes: Readonly<Record<string, RevocationOutcome>>): string {
  const counts = new Map<string, number>()
  for (const outcome of Object.values(outcomes)) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, count]) => `${outcome} ${count}`).join(", ") || "nothing to end"
}

function answer(
  lease: string,
  credentials: readonly LeaseCredentialState[],
  outcomes: Readonly<Record<string, RevocationOutcome>>,
): RevokeAnswer {
  const ended = credentials.map((credential) => {
    const before = credential.ended === "expired" ? "expires-only" : credential.ended
    const outcome = outcomes[credential.grant] ?? before ?? "failed"
    const expires_at = credential.expiresAt === null ? null : new Date(credential.expiresAt).toISOString()
    return [credential.grant, { outcome, expires_at }] as const
  })
  return { lease, credentials: Object.fromEntries(ended) }
}

const notFound = () =>
  new BrokerError(
    "lease_not_found",
    "This job has no such lease. A lease is revoked by the run and attempt that it was opened for.",
  )
