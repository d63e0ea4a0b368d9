import {
  type AuditDraft,
  type AuditEvent,
  type AuditGrant,
  auditIdentity,
  type CacheUse,
} from "../core/audit-record.ts"
import { BrokerError } from "../core/errors.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import { visible } from "../core/policy/faults.ts"
import type { LeaseCredential, Ledger } from "../ports/ledger.ts"
import type { Broker } from "./broker.ts"
import type { Call, ExchangeCall } from "./call.ts"
import type { Caller } from "./caller.ts"
import type { MintFailure } from "./mint.ts"

/** Codes that refuse the form of a request, not its content: the token is not used up, and nothing is recorded. */
const ABOUT_FORM: ReadonlySet<string> = new Set(["ttl_too_short"])

/** Records one call in its repository's ledger. Every method returns only when the record is durable. */
export interface Recorder {
  readonly ledger: Ledger
  /**
   * Uses up the token and records the denial. Returns the error for the answer: the denial, or that the token was used
   * before.
   *
   * A denial is not recorded when the caller's owner is not listed: anyone with a CI account has a valid token, and must
   * not be able to make the storage grow.
   */
  refusal(error: BrokerError): Promise<BrokerError>
  /** Uses up the token, opens the lease and records the intent. @throws {BrokerError} `token_already_used` */
  intent(lease: string, grants: readonly GrantedGrant[], endsBy: number): Promise<void>
  /** Records the outcome with the lease's credentials; after a failure, those that could not be revoked immediately. */
  outcome(lease: string, grants: readonly GrantedGrant[], outcome: ExchangeOutcome): Promise<void>
}

export interface ExchangeOutcome {
  readonly credentials: readonly LeaseCredential[]
  readonly failures: readonly MintFailure[]
  /** Grant -> whether its values came from the broker's memory. */
  readonly caches: ReadonlyMap<string, CacheUse>
}

/** The recorder of one call, for the ledger of the caller's repository. */
export function recorderOf(call: ExchangeCall, caller: Caller, policyVersion: string, broker: Broker): Recorder {
  const ledger = ledgerOf(caller, broker)
  const draft = draftOf(call, caller, policyVersion, broker)
  const token = useOf(caller)
  const replayAudit = () => draft("token.replayed", { reason: "token_already_used", decision: "deny" })
  const listed = (grants: readonly GrantedGrant[], caches: ExchangeOutcome["caches"] = new Map()) =>
    grants.map((granted) => auditGrant(granted, caches.get(granted.grant.name), broker))

  return {
    ledger,

    async refusal(error) {
      if (!caller.own || ABOUT_FORM.has(error.code)) return error
      const reason = `${error.code}: ${call.grants.join(", ")}`
      const audit = draft("exchange.denied", { reason, decision: "deny" })
      return (await ledger.admit({ token, audit, replayAudit: replayAudit() })) === "admitted" ? error : alreadyUsed()
    },

    async intent(lease, grants, endsBy) {
      const { runId, runAttempt } = caller.token.identity
      const audit = draft("exchange.intended", { reason: "allowed", decision: "allow", lease, grants: listed(grants) })
      const admitted = await ledger.admit({
        token,
        lease: { id: lease, runId, runAttempt, endsBy },
        audit,
        replayAudit: replayAudit(),
      })
      if (admitted === "already-used") throw alreadyUsed()
    },

    async outcome(lease, grants, { credentials, failures, caches }) {
      const outcome = failures.length > 0 ? "failed" : "minted"
      const reason = failures.length > 0 ? failedReason(failures, credentials) : "minted"
      const audit = draft(`exchange.${outcome}`, { reason, lease, grants: listed(grants, caches) })
      await ledger.settle({ lease, outcome, credentials, audit })
    },
  }
}

/** The ledger of the caller's repository. */
export const ledgerOf = (caller: Caller, broker: Broker): Ledger =>
  broker.ledgers.of(caller.token.identity.issuerUrl, caller.token.identity.repositoryId)

/** The use of the caller's subject token, in the ledger's form. */
export const useOf = (caller: Caller) => ({ key: caller.token.tokenKey, expiresAt: caller.token.diesAt })

/** The refusal of a token that was used before. */
export const alreadyUsed = () =>
  new BrokerError(
    "token_already_used",
    "This subject token was used before. Ask the runner for a new one: each token is valid for one call.",
  )

/** Makes audit drafts for one call. It fills in the caller, the address and the policies; the event adds the rest. */
export function draftOf(call: Call, caller: Caller, policyVersion: string, broker: Broker) {
  return (
    event: AuditEvent,
    facts: Partial<Pick<AuditDraft, "lease" | "grants" | "decision">> & { readonly reason: string },
  ): AuditDraft => ({
    at: broker.clock.now().toISOString(),
    request_id: call.requestId,
    event,
    identity: auditIdentity(caller.token.identity),
    token_digest: caller.token.digest,
    lease: facts.lease ?? null,
    grants: facts.grants ?? [],
    decision: facts.decision ?? null,
    reason: facts.reason,
    policy_version: policyVersion,
    client_address: call.clientAddress,
  })
}

/** Contains only our own codes and names: `provider_denied: vault-prod; left alive: deploy`. */
function failedReason(failures: readonly MintFailure[], alive: readonly LeaseCredential[]): string {
  const failed = new Set(failures.map(({ granted, error }) => `${error.code}: ${granted.grant.connection.name}`))
  const left = alive.length > 0 ? `; left alive: ${alive.map(({ grant }) => grant).join(", ")}` : ""
  return [...failed].join(", ") + left
}

function auditGrant({ grant, ttlSeconds }: GrantedGrant, cache: CacheUse | undefined, broker: Broker): AuditGrant {
  return {
    name: grant.name,
    connection: grant.connection.name,
    provider: grant.connection.provider,
    // A claim may have filled a gap in it.
    resource: visible(broker.providers.get(grant.connection.provider)?.resource(grant.fields) ?? ""),
    ttl_seconds: ttlSeconds,
    ...(cache === undefined ? {} : { cache }),
  }
}
