import { BrokerError } from "../core/errors.ts"
import type { Organisation } from "../core/policy/model.ts"
import type { LeaseCredentialState } from "../ports/ledger.ts"
import type { RevocationOutcome, RevokeAnswer } from "../wire/exchange.ts"
import type { Broker } from "./broker.ts"
import type { RevokeCall } from "./call.ts"
import { verifyCaller } from "./caller.ts"
import { handleContext } from "./lease.ts"
import { alreadyUsed, draftOf, ledgerOf, useOf } from "./record.ts"
import { type Revocable, revokeAll } from "./revoke-all.ts"

/**
 * Closes a lease of the caller's own run and attempt, and revokes the credentials that can be revoked.
 *
 * The subject token may be bound to a key that no longer exists: such a token can end credentials, but never get any. A
 * second call does not revoke again: it answers the outcome of the first.
 *
 * @throws {BrokerError} `lease_not_found`, the same for a lease that does not exist, of another repository, and of another
 *   run
 */
export async function revoke(call: RevokeCall, broker: Broker): Promise<RevokeAnswer> {
  const caller = await verifyCaller(call, broker)
  if (!caller.own) throw notFound()
  call.event.lease = call.lease

  const { identity } = caller.token
  const ledger = ledgerOf(caller, broker)
  const draft = draftOf(call, caller, caller.snapshot.version, broker)
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
  if (start.outcome === "done") return answerOf(call.lease, start.credentials, outcomesOf(start.credentials))

  const outcomes = await endCredentials(call.lease, start.credentials, identity, caller.snapshot.organisation, broker)
  await ledger.settleRevocation({
    lease: call.lease,
    outcomes,
    now: broker.clock.now().getTime(),
    audit: draft("lease.closed", { reason: summary(outcomes), lease: call.lease }),
  })
  return answerOf(call.lease, start.credentials, outcomes)
}

/**
 * Revokes what can be revoked, and returns the outcome of every credential. Never throws: when a handle cannot be unsealed,
 * or its connection no longer exists, the credential counts as not revoked. The sweep retries it until the lease ends.
 */
export async function endCredentials(
  lease: string,
  credentials: readonly LeaseCredentialState[],
  ledger: LedgerName,
  organisation: Organisation,
  broker: Broker,
): Promise<Outcomes> {
  const revocable = credentials.filter((credential) => credential.ended === null)
  const opened = await Promise.all(
    revocable.map((credential) => openHandle(lease, credential, ledger, organisation, broker)),
  )
  const taken = await revokeAll(
    opened.filter((credential) => credential !== null),
    broker,
  )
  return { ...outcomesOf(credentials), ...taken }
}

type Outcomes = Readonly<Record<string, RevocationOutcome>>
type LedgerName = { readonly issuerUrl: string; readonly repositoryId: string }

async function openHandle(
  lease: string,
  { grant, provider, connection, sealedHandle }: LeaseCredentialState,
  ledger: LedgerName,
  organisation: Organisation,
  broker: Broker,
): Promise<Revocable | null> {
  if (sealedHandle === null) return null
  try {
    const handle = await broker.sealer.open(sealedHandle, handleContext(ledger, lease, grant))
    return { grant, provider, connection: organisation.connections.get(connection), handle }
  } catch {
    return null
  }
}

/** The outcomes that the ledger already knows. A credential without a known end counts as not revoked. */
function outcomesOf(credentials: readonly LeaseCredentialState[]): Outcomes {
  return Object.fromEntries(
    credentials.map(({ grant, ended }) => [grant, ended === "expired" ? "expires-only" : (ended ?? "failed")]),
  )
}

/** The outcomes of a lease's credentials, for the audit record: `revoked 1, expires-only 2`. */
export function summary(outcomes: Outcomes): string {
  const counts = new Map<string, number>()
  for (const outcome of Object.values(outcomes)) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, count]) => `${outcome} ${count}`).join(", ") || "nothing was minted"
}

function answerOf(lease: string, credentials: readonly LeaseCredentialState[], outcomes: Outcomes): RevokeAnswer {
  const ended = credentials.map(({ grant, expiresAt }) => {
    const expires_at = expiresAt === null ? null : new Date(expiresAt).toISOString()
    return [grant, { outcome: outcomes[grant] ?? "failed", expires_at }] as const
  })
  return { lease, credentials: Object.fromEntries(ended) }
}

const notFound = () =>
  new BrokerError(
    "lease_not_found",
    "This job has no such lease. Only the run and attempt that opened a lease can revoke it.",
  )
