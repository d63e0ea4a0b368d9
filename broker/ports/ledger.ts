import type { AuditDraft, AuditRecord } from "../core/audit-record.ts"
import type { Revocation, RevocationOutcome } from "../wire/exchange.ts"

/** A subject token as the ledger knows it: by what was verified, never by its text, which can vary. */
export interface TokenUse {
  /** SHA-256 over the issuer's URL and the `jti`, base64url: what makes it single-use. */
  readonly key: string
  /** Unix seconds: until when the token could verify, clock skew included; the entry may be forgotten after it. */
  readonly expiresAt: number
}

/** What opens a lease: everything that must be durable before anything is minted. */
export interface Admission {
  readonly token: TokenUse
  /** Absent for a denial, which opens no lease. */
  readonly lease?: LeaseOpening
  readonly audit: AuditDraft
  /** Written instead when the token was used before, once a token. */
  readonly replayAudit: AuditDraft
}

export interface LeaseOpening {
  readonly id: string
  readonly runId: string
  readonly runAttempt: string
  /** Unix milliseconds: when even the longest granted time is over, should nothing more be heard of this lease. */
  readonly endsBy: number
}

/** A minted credential as the ledger keeps it: how it ends, nothing of its values. */
export interface LeaseCredential {
  readonly grant: string
  readonly connection: string
  readonly provider: string
  readonly revocation: Revocation
  /** Unix milliseconds; null when it does not expire by itself. */
  readonly expiresAt: number | null
  /**
   * Unix milliseconds: when its granted time is over. What can be taken back and is still alive then, because its vendor
   * lets nobody choose so short a life, is taken back by the broker. Null for what only expires: its time cannot be cut.
   */
  readonly grantedUntil: number | null
  /** What revoking it needs, sealed; null when it cannot be revoked. */
  readonly sealedHandle: string | null
}

/** How an admitted exchange came out. */
export interface Settlement {
  readonly lease: string
  readonly outcome: "minted" | "failed"
  /** Minted: all of them. Failed: those that were minted and could not be taken back at once. */
  readonly credentials: readonly LeaseCredential[]
  readonly audit: AuditDraft
}

export interface RevocationRequest {
  readonly lease: string
  readonly runId: string
  readonly runAttempt: string
  readonly token: TokenUse
  /** Unix milliseconds. */
  readonly now: number
  readonly audit: AuditDraft
  readonly replayAudit: AuditDraft
}

/**
 * `begun`: these are to be taken back. `done`: an earlier call closed the lease; what became of each credential.
 * `not-found`: no such lease of this run and attempt. `already-used`: the subject token was used before.
 */
export type RevocationStart =
  | { readonly outcome: "begun" | "done"; readonly credentials: readonly LeaseCredentialState[] }
  | { readonly outcome: "not-found" }
  | { readonly outcome: "already-used" }

export interface LeaseCredentialState extends LeaseCredential {
  /** Null while its end is not known. */
  readonly ended: RevocationOutcome | "expired" | null
}

export interface RevocationSettlement {
  readonly lease: string
  /** Outcome of each credential, by grant. */
  readonly outcomes: Readonly<Record<string, RevocationOutcome>>
  /** Unix milliseconds. */
  readonly now: number
  readonly audit: AuditDraft
}

/** A lease of which something is over: that is to be taken back by the broker itself. */
export interface DueLease {
  readonly lease: string
  /** What is to be taken back, and what has ended. What may live on is left out: nobody can end it by mistake. */
  readonly credentials: readonly LeaseCredentialState[]
}

/** A record with its place in the chain, both SHA-256 in hex. */
export interface ChainedRecord {
  readonly record: AuditRecord
  readonly leaf: string
  readonly chain: string
}

/**
 * The durable record of one repository: used tokens, leases, the audit chain.
 *
 * Each call is one transaction, and returns only when it is on disk. Nothing is awaited between a check and its insert.
 * Every call throws `BrokerError("ledger_unavailable")` when the storage fails, and then nothing was changed.
 */
export interface Ledger {
  admit(admission: Admission): Promise<"admitted" | "already-used">
  /** Once a lease: a second outcome is refused with `BrokerError("internal")`, as is one that comes after `endsBy`. */
  settle(settlement: Settlement): Promise<void>
  /**
   * Uses the token up whatever it answers. Answers `done`, with ends that are not known yet, also while another call is at
   * the same lease, or while the broker waits to try again. From then on the lease is over as a whole: what the broker was
   * not at is taken back next, and no longer waits for the end of its own granted time.
   */
  beginRevocation(request: RevocationRequest): Promise<RevocationStart>
  /**
   * What is neither taken back nor expired is tried again by the broker, until it is. The record's event is the ledger's:
   * `lease.closed`, or `lease.revoking` while something is left. Nothing is changed when another attempt has overtaken this
   * one, and the lease is closed, or goes on with what it still has.
   */
  settleRevocation(settlement: RevocationSettlement): Promise<void>
  /** The chain from record `after` (0: the start), at most `limit`, in order. */
  auditTrail(after: number, limit: number): Promise<readonly ChainedRecord[]>
}

/** What the sweeper needs besides: one ledger's leases whose time has come, and the housekeeping of used tokens. */
export interface SweptLedger extends Ledger {
  /**
   * Leases of which something is over at `now` (Unix milliseconds), at most `limit`; forgets used tokens that are dead.
   * Begins no revocation twice at a time.
   */
  takeDue(now: number, limit: number): Promise<readonly DueLease[]>
}

/** Finds the ledger of a repository. Asking costs nothing until a call is made. */
export interface Ledgers {
  of(issuerUrl: string, repositoryId: string): Ledger
}
