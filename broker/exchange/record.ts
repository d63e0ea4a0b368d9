import type { Learnt } from "../core/audit-record.ts"
import { BrokerError } from "../core/errors.ts"
import type { Identity } from "../core/identity.ts"
import { recordedClaims } from "../core/policy/claims-read.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import { grantLimitOf, limitsOf } from "../core/policy/limits.ts"
import type { Secret } from "../core/secret.ts"
import type { AdmissionOutcome, LeaseCredential, LeaseOpening, Ledger, RevocationSettlement } from "../ports/ledger.ts"
import type { TokenUse } from "../ports/token-use.ts"
import type { ErrorCode } from "../wire/error-codes.ts"
import { auditGrant, draftOf } from "./audit-draft.ts"
import type { Broker } from "./broker.ts"
import type { ExchangeCall } from "./call.ts"
import type { Caller, Proved } from "./caller.ts"
import { preparedCredential } from "./lease.ts"
import { MINT_WINDOW_MS, type MintFailure, unrecordedSeconds } from "./mint.ts"
import { overLimit } from "./over-limit.ts"
import type { Verdict } from "./verdict.ts"

/** Codes that refuse the form of a request, not its content: the token is not used up, and nothing is recorded. */
const ABOUT_FORM: ReadonlySet<string> = new Set(["ttl_too_short", "request_malformed"])

/**
 * When an exchange must have an outcome, in milliseconds after its admission: after the mint, the revocations of a failure,
 * and a slow disk. Then the broker that began it has died, and the sweep ends the lease.
 */
export const SETTLE_WINDOW_MS = 60_000

/** Records one call in the ledger of its unit. Every method returns only when the record is durable. */
export interface Recorder {
  readonly ledger: Ledger
  /**
   * Uses up the token and records the denial. Returns the error for the answer: the denial, or that the token was used
   * before.
   *
   * A denial is not recorded when the caller's owner is not listed: anyone with a CI account has a valid token, and must
   * not be able to make the storage grow. For the same reason, a unit's denials beyond its limit are only counted.
   */
  refusal(error: BrokerError): Promise<BrokerError>
  /**
   * Uses up the token, opens the lease and records the intent.
   *
   * @throws {BrokerError} `token_already_used`, `token_too_old`, `lease_taken`, `quota_exceeded`
   */
  intent(lease: string, grants: readonly GrantedGrant[]): Promise<void>
  /**
   * Uses up the token, and records the lease of an exchange whose credentials the broker has minted in its memory: intent and
   * outcome in one record.
   *
   * @throws {BrokerError} as `intent`
   */
  minted(
    lease: string,
    grants: readonly GrantedGrant[],
    outcome: Pick<ExchangeOutcome, "credentials" | "learnt">,
  ): Promise<void>
  /** Records what can revoke a credential that is about to be minted. */
  prepare(lease: string, granted: GrantedGrant, handle: Secret<string>, expiresAt: Date | null): Promise<void>
  /** Records the outcome with the lease's credentials; after a failure, those that could not be revoked immediately. */
  outcome(lease: string, grants: readonly GrantedGrant[], outcome: ExchangeOutcome): Promise<void>
  /** Records that a lease was revoked because its answer could not reach the client; later, if the ledger fails now. */
  abandoned(lease: string, outcomes: RevocationSettlement["outcomes"]): Promise<void>
}

export interface ExchangeOutcome {
  readonly credentials: readonly LeaseCredential[]
  readonly failures: readonly MintFailure[]
  /** The error code when everything was minted and nothing was handed out: the client was gone, or the record failed. */
  readonly lost: ErrorCode | null
  /** Grant -> what its mint found out. */
  readonly learnt: ReadonlyMap<string, Learnt>
}

/** The recorder of one call, for the ledger of the caller's unit. */
export function recorderOf(
  call: ExchangeCall,
  caller: Caller,
  { policyVersion, claims }: Pick<Verdict, "policyVersion" | "claims">,
  broker: Broker,
): Recorder {
  const ledger = ledgerOf(caller, broker)
  const { identity } = caller.token
  const draft = draftOf(call, caller, policyVersion, broker)
  const token = useOf(caller)
  const limits = limitsOf(caller.snapshot.organisation, identity)
  const admission = (reason: string) => ({
    token,
    now: broker.clock.now().getTime(),
    limits,
    replayAudit: draft("token.replayed", { reason: "token_already_used", decision: "deny" }),
    overLimitAudit: draft("limit.reached", { reason, decision: "deny" }),
  })
  const listed = (grants: readonly GrantedGrant[], learnt: ExchangeOutcome["learnt"] = new Map()) =>
    grants.map((granted) => auditGrant(granted, learnt.get(granted.grant.name), broker))
  const prepared = new Set<string>()
  let intended: readonly GrantedGrant[] = []
  const unknownUntil = () => {
    const seconds = unrecordedSeconds(
      intended.filter(({ grant }) => !prepared.has(grant.name)),
      broker,
    )
    return seconds === 0 ? 0 : broker.clock.now().getTime() + MINT_WINDOW_MS + seconds * 1000
  }
  const opening = (lease: string, grants: readonly GrantedGrant[], unknown: number): LeaseOpening => {
    const { runId, runAttempt } = identity
    const now = broker.clock.now().getTime()
    const longestMs = Math.max(...grants.map((granted) => granted.ttlSeconds)) * 1000
    return {
      id: lease,
      runId,
      runAttempt,
      settleBy: now + SETTLE_WINDOW_MS,
      endsBy: now + MINT_WINDOW_MS + longestMs,
      unknownUntil: unknown,
      limited: grants.flatMap(({ grant }) => grantLimitOf(grant, identity.environment) ?? []),
    }
  }

  return {
    ledger,

    async refusal(error) {
      if (!caller.own || ABOUT_FORM.has(error.code)) return error
      const reason = `${error.code}: ${call.grants.join(", ")}`
      const audit = { ...draft("exchange.denied", { reason, decision: "deny" }), ...recordedClaims(claims, identity) }
      const admitted = await ledger.admit({ ...admission("denials_per_hour"), audit })
      return refusalOf(admitted, identity) ?? error
    },

    async intent(lease, grants) {
      intended = grants
      const audit = {
        ...draft("exchange.intended", { reason: "allowed", decision: "allow", lease, grants: listed(grants) }),
        ...recordedClaims(claims, identity),
      }
      const admitted = await ledger.admit({
        ...admission(call.grants.join(", ")),
        lease: opening(lease, grants, unknownUntil()),
        audit,
      })
      const refused = refusalOf(admitted, identity)
      if (refused !== null) throw refused
    },

    async minted(lease, grants, { credentials, learnt }) {
      const facts = { reason: "minted", decision: "allow", lease, grants: listed(grants, learnt) } as const
      const audit = { ...draft("exchange.minted", facts), ...recordedClaims(claims, identity) }
      const admitted = await ledger.admitMinted({
        ...admission(call.grants.join(", ")),
        lease: opening(lease, grants, 0),
        credentials,
        audit,
      })
      const refused = refusalOf(admitted, identity)
      if (refused !== null) throw refused
    },

    async prepare(lease, granted, handle, expiresAt) {
      const credential = await preparedCredential(granted, { handle, expiresAt }, identity, lease, broker)
      prepared.add(granted.grant.name)
      await ledger.prepare({ lease, credential, unknownUntil: unknownUntil(), now: broker.clock.now().getTime() })
    },

    async outcome(lease, grants, { credentials, failures, lost, learnt }) {
      const failed = lost !== null || failures.length > 0
      const cause = lost ?? failureCodes(failures)
      const reason = failed ? cause + leftAlive(credentials) : "minted"
      const audit = draft(failed ? "exchange.failed" : "exchange.minted", {
        reason,
        lease,
        grants: listed(grants, learnt),
      })
      await ledger.settle({ lease, outcome: failed ? "failed" : "minted", credentials, audit })
    },

    async abandoned(lease, outcomes) {
      const now = broker.clock.now().getTime()
      const audit = draft("lease.closed", { reason: "client_gone", lease })
      const settlement = { lease, outcomes, now, audit }
      const { issuerUrl, unitId } = identity
      await ledger.recordRevocation(settlement).catch(() => broker.owed.keep({ lease, issuerUrl, unitId }, settlement))
    },
  }
}

/** Records that a key-bound token was sent without its key: only somebody who took it from its job does that. */
export async function suspectUnbound(call: ExchangeCall, caller: Caller, broker: Broker): Promise<void> {
  if (!caller.own || caller.token.boundTo === null) return
  const draft = draftOf(call, caller, caller.snapshot.version, broker)
  const audit = draft("token.unbound", { reason: `key_mismatch: ${call.grants.join(", ")}`, decision: "deny" })
  const limits = limitsOf(caller.snapshot.organisation, caller.token.identity)
  const now = broker.clock.now().getTime()
  await ledgerOf(caller, broker).suspect({ token: useOf(caller), now, limits, audit })
}

/** The error for an admission that was refused; null when it was admitted, or was a denial that is only counted. */
function refusalOf(admitted: AdmissionOutcome, { unitKind }: Identity): BrokerError | null {
  if (admitted.outcome === "already-used") return alreadyUsed()
  if (admitted.outcome === "used-up") return new BrokerError("token_already_used", USED_UP)
  if (admitted.outcome === "too-old") return new BrokerError("token_too_old", TOO_OLD)
  if (admitted.outcome === "lease-taken") return new BrokerError("lease_taken", LEASE_TAKEN)
  return admitted.outcome === "over-limit" ? overLimit(admitted.reached, unitKind) : null
}

const TOO_OLD =
  "This broker's ledger was restored, or a clock was corrected, so the broker cannot know whether this subject token was used before. Ask the runner for a new one."

const USED_UP =
  "This subject token was used as often as one token can be, with proofs of its key. What it opened can still be revoked. For more, the job needs a new token."

const LEASE_TAKEN =
  "This lease's id was used before, or its job has ended the lease already. Nothing was handed out. Send a new id: each is valid for one exchange."

/** The ledger of the caller's unit. */
export const ledgerOf = (caller: Pick<Caller, "token">, broker: Broker): Ledger =>
  broker.ledgers.of(caller.token.identity.issuerUrl, caller.token.identity.unitId)

/** The use of the caller's subject token, in the ledger's form. */
export const useOf = ({ token, proof }: Proved): TokenUse => ({
  key: token.tokenKey,
  issuedAt: token.issuedAt,
  expiresAt: token.diesAt,
  ...(proof === null ? {} : { proof: { thumbprint: proof.thumbprint, id: proof.id } }),
})

/** The refusal of a token that was used before. */
export const alreadyUsed = () =>
  new BrokerError(
    "token_already_used",
    "This subject token was used before. Ask the runner for a new one: each token is valid for one call, or for more with a new DPoP proof each of the key that its first call proved.",
  )

/** Contains only our own codes and names: `provider_denied: vault-prod`. */
function failureCodes(failures: readonly MintFailure[]): string {
  const failed = new Set(failures.map(({ granted, error }) => `${error.code}: ${granted.grant.connection.name}`))
  return [...failed].join(", ")
}

const leftAlive = (alive: readonly LeaseCredential[]): string =>
  alive.length > 0 ? `; left alive: ${alive.map(({ grant }) => grant).join(", ")}` : ""
