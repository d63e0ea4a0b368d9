import type { Identity } from "./identity.ts"

/**
 * What happened.
 *
 * - `exchange.intended`: about to mint; durable before anything is minted
 * - `exchange.denied`: a good token of the organisation's, refused by policy
 * - `exchange.minted`, `exchange.failed`: how an intended exchange came out
 * - `token.replayed`: a used subject token came back; written once a token, however often it comes
 * - `lease.revoking`, `lease.closed`: the way back
 */
export type AuditEvent =
  | "exchange.intended"
  | "exchange.denied"
  | "exchange.minted"
  | "exchange.failed"
  | "token.replayed"
  | "lease.revoking"
  | "lease.closed"

/** A verified job, for the record: ids, names, ref, event, actor and run; no other claim. */
export interface AuditIdentity {
  readonly issuer: string
  readonly repository: string
  readonly repository_id: string
  readonly owner: string
  readonly owner_id: string
  readonly environment: string | null
  readonly ref: string
  readonly event: string
  readonly actor: string
  readonly run_id: string
  readonly run_attempt: string
}

/** Whether what was handed out came from the broker's memory: all, nothing or some of it. */
export type CacheUse = "hit" | "miss" | "partly"

export interface AuditGrant {
  readonly name: string
  readonly connection: string
  readonly provider: string
  /** What was reached, in the provider's words: a role's ARN, an audience. */
  readonly resource: string
  readonly ttl_seconds: number
  /** Present in the record of an outcome, where the connection keeps values. */
  readonly cache?: CacheUse
}

/** What the writer of a record knows. The ledger adds `seq` and `at`'s order when it appends. */
export interface AuditDraft {
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string
  readonly request_id: string
  readonly event: AuditEvent
  /** Null for what the broker did by itself, such as closing an expired lease. */
  readonly identity: AuditIdentity | null
  /** SHA-256 of the subject token's signed part, base64url; never the token. Null when there was none. */
  readonly token_digest: string | null
  readonly lease: string | null
  readonly grants: readonly AuditGrant[]
  readonly decision: "allow" | "deny" | null
  /** A code or a sentence of ours. */
  readonly reason: string
  /** Version of the policy set that decided; null where none did. */
  readonly policy_version: string | null
  readonly client_address: string | null
}

/** One link of the chain of one repository. `seq` starts at 1 and has no gaps. */
export interface AuditRecord extends AuditDraft {
  readonly seq: number
}

/** Narrows a verified identity to what is recorded. */
export function auditIdentity(identity: Identity): AuditIdentity {
  return {
    issuer: identity.issuerUrl,
    repository: identity.repository,
    repository_id: identity.repositoryId,
    owner: identity.owner,
    owner_id: identity.ownerId,
    environment: identity.environment ?? null,
    ref: identity.ref,
    event: identity.event,
    actor: identity.actor,
    run_id: identity.runId,
    run_attempt: identity.runAttempt,
  }
}
