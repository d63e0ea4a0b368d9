// Long because a port is read in one place, with what each of its methods promises.

import type { AuditDraft, AuditRecord } from "../core/audit-record.ts"
import type { GrantLimit, Limits, ReachedLimit } from "../core/policy/limits.ts"
import type { Revocation, RevocationOutcome } from "../wire/exchange.ts"
import type { WaitUntil } from "./sweeping.ts"
import type { TokenUse } from "./token-use.ts"

/** Opens a lease: everything that must be durable before anything is minted. */
export interface Admission {
  readonly token: TokenUse
  /** Unix milliseconds. */
  readonly now: number
  readonly limits: Limits
  /** Absent for a denial, which opens no lease. */
  readonly lease?: LeaseOpening
  readonly audit: AuditDraft
  /** Recorded instead of `audit` when the token was used before; once for each token. */
  readonly replayAudit: AuditDraft
  /** Recorded instead of `audit` when a limit is reached; once an hour for each limit. */
  readonly overLimitAudit: AuditDraft
}

/**
 * An exchange whose credentials the broker alone minted, in memory: nothing of them exists for anybody until they are handed
 * out. `audit` is the record of its outcome, and there is no record of the intent.
 */
export interface MintedAdmission extends Admission {
  readonly lease: LeaseOpening
  readonly credentials: readonly LeaseCredential[]
}

/**
 * `admitted`: it is recorded. `already-used`: the token was used before, and the call does not prove its key with a new
 * proof. `used-up`: it was used with as many proofs of its key as one token can be. `too-old`: the ledger cannot know whether
 * the token was used, because it was restored, or because a clock that was ahead made it forget. `lease-taken`: there is a
 * lease with this id, or its run has ended it already; the token was not used up. `over-limit`: a limit is reached; the token
 * was not used up. `counted`: a denial beyond the limit: it is counted, but has no record of its own, and the token was not
 * used up.
 */
export type AdmissionOutcome =
  | { readonly outcome: "admitted" | "already-used" | "used-up" | "too-old" | "lease-taken" | "counted" }
  | { readonly outcome: "over-limit"; readonly reached: ReachedLimit }

export interface LeaseOpening {
  readonly id: string
  readonly runId: string
  readonly runAttempt: string
  /** Unix milliseconds: when the exchange must have an outcome. The lease is over then if it was never settled. */
  readonly settleBy: number
  /** Unix milliseconds: when the longest granted lifetime is over. */
  readonly endsBy: number
  /** Unix milliseconds: until when what is minted may live if its outcome is never recorded; 0 when nothing outlives. */
  readonly unknownUntil: number
  /** The grants that limit their open leases. */
  readonly limited: readonly GrantLimit[]
}

/** How a unit stands with its limits. */
export interface Standing {
  /** Admitted in the current minute, and the seconds until the next one. */
  readonly exchanges: { readonly used: number; readonly resetsInSeconds: number }
  readonly openLeases: number
  /** Recorded in the current hour, counted without a record of their own, and the seconds until the next hour. */
  readonly denials: { readonly used: number; readonly counted: number; readonly resetsInSeconds: number }
}

/** A sign of misuse that opens no lease and uses up no token, such as a bound token that was sent without its key. */
export interface Suspicion {
  readonly token: TokenUse
  /** Unix milliseconds. */
  readonly now: number
  readonly limits: Limits
  readonly audit: AuditDraft
}

/** A minted credential as the ledger stores it: how it ends, and none of its values. */
export interface LeaseCredential {
  readonly grant: string
  readonly connection: string
  readonly provider: string
  readonly revocation: Revocation
  /** Unix milliseconds; null when it does not expire by itself. */
  readonly expiresAt: number | null
  /**
   * Unix milliseconds: when its granted time is over. Some vendors do not allow so short a lifetime; the broker then
   * revokes the credential at this time. Null for a credential that only expires, because its lifetime cannot be shortened.
   */
  readonly grantedUntil: number | null
  /** What its revocation needs, sealed; null when it cannot be revoked. */
  readonly sealedHandle: string | null
}

/** What can revoke a credential that is about to be minted. */
export interface Preparation {
  readonly lease: string
  readonly credential: LeaseCredential
  /** The lease's new `unknownUntil`: without the grants whose credentials were prepared. */
  readonly unknownUntil: number
  /** Unix milliseconds. */
  readonly now: number
}

/** The outcome of an admitted exchange. */
export interface Settlement {
  readonly lease: string
  readonly outcome: "minted" | "failed"
  /** After `minted`: all credentials. After `failed`: those that were minted and could not be revoked immediately. */
  readonly credentials: readonly LeaseCredential[]
  readonly audit: AuditDraft
}

/** A lease as its job names it. */
export interface LeaseOfRun {
  readonly lease: string
  readonly runId: string
  readonly runAttempt: string
}

export interface RevocationRequest extends LeaseOfRun {
  readonly token: TokenUse
  /** Unix milliseconds. */
  readonly now: number
  readonly limits: Limits
  readonly audit: AuditDraft
  readonly replayAudit: AuditDraft
  /** Recorded when the lease exists and belongs to another run, inside the limit of denials. */
  readonly foreignAudit: AuditDraft
}

/**
 * `begun`: the caller must revoke these credentials. `busy`: another call is revoking them now. `done`: nobody is; the lease
 * is closed, or waits for the next attempt. `open`: its exchange has no outcome; it hands out nothing any more, and revokes
 * what it mints; the credentials are those that were prepared. `not-found`: this run and attempt has no such lease.
 * `already-used`: the subject token was used before, and the call does not prove its key with a new proof.
 */
export type RevocationStart =
  | {
      readonly outcome: "begun" | "busy" | "done" | "open"
      readonly credentials: readonly LeaseCredentialState[]
      /**
       * Unix milliseconds: until when what an exchange without an outcome minted may live, if nobody can revoke it. 0 for an
       * open lease with nothing of that kind. Absent when the exchange had an outcome.
       */
      readonly unknownUntil?: number
    }
  | { readonly outcome: "not-found" }
  | { readonly outcome: "already-used" }

export interface LeaseCredentialState extends LeaseCredential {
  /** How it ended; null while that is not known. */
  readonly ended: RevocationOutcome | "expired" | null
}

export interface RevocationSettlement {
  readonly lease: string
  /** The outcome of each credential, by grant. */
  readonly outcomes: Readonly<Record<string, RevocationOutcome>>
  /** Unix milliseconds. */
  readonly now: number
  readonly audit: AuditDraft
}

/** A lease with credentials whose time is over, and which the broker itself must revoke. */
export interface DueLease {
  readonly lease: string
  /**
   * The credentials to revoke, and those that have ended. Others are left out, so that they cannot be revoked by mistake.
   */
  readonly credentials: readonly LeaseCredentialState[]
}

/** A lease that has not ended, with its credentials that have not ended. */
export interface OpenLease {
  readonly lease: string
  readonly credentials: readonly LeaseCredential[]
}

/** An operator's order to end credentials before their time. */
export interface EarlyEnd {
  /** Only of these leases; left out: of all that have not ended. */
  readonly leases?: readonly string[]
  /** Only of this connection, or of this grant. */
  readonly connection?: string
  readonly grant?: string
  /** The page: leases after this id (empty: from the start), at most `limit`. */
  readonly after: string
  readonly limit: number
  /** Exchanges under way are counted when they must have an outcome by this time, in Unix milliseconds. */
  readonly underWayBy: number
  /** Unix milliseconds. */
  readonly now: number
  /** Recorded for each lease that it changes, with the names of the grants after its reason. */
  readonly audit: AuditDraft
}

/** What became of a page of leases. */
export interface EarlyEndOutcome {
  /** Leases whose credentials are due for revocation from now on. */
  readonly ended: number
  /** Leases whose credentials were due before, and are not all revoked yet. */
  readonly revoking: number
  /** Exchanges that have no outcome yet. What they mint is not ended: look again when they must have one. */
  readonly underWay: number
  /** Leases with credentials that only expire, and when the last of them does, in Unix milliseconds. */
  readonly expiring: { readonly leases: number; readonly until: number }
  /** The next page's `after`; null: this was the last page. */
  readonly next: string | null
}

/** A credential's handle, sealed anew. */
export interface HandleChange {
  readonly lease: string
  readonly grant: string
  /** The stored one. Nothing changes when there is another one by now, or none. */
  readonly before: string
  readonly after: string
}

/** A record with its two hashes, SHA-256 in hex. */
export interface ChainedRecord {
  readonly record: AuditRecord
  readonly leaf: string
  readonly chain: string
}

/** Where a ledger begins whose older records were archived. */
export interface LedgerCut {
  /** The number of the last record that has left. */
  readonly seq: number
  /** Its hash in the chain, SHA-256 in hex. */
  readonly chain: string
  /** What the RFC 6962 tree over all records needs to go on from there. The ledger only keeps it; see `core/checkpoint/edge.ts`. */
  readonly edge: string
}

/** Which records are to leave a ledger: all up to `upTo`. */
export interface ArchiveOrder {
  readonly upTo: number
  readonly edge: string
  /** Unix milliseconds: when a record among them is not older, none leaves. */
  readonly before: number
  /** Unix milliseconds. */
  readonly now: number
  /** Recorded with the numbers of the records that leave after its reason. */
  readonly audit: AuditDraft
}

/**
 * The durable record of one unit: used tokens, leases, the audit chain.
 *
 * Each call is one transaction, and returns only when the transaction is on disk. Nothing is awaited between a check and
 * its insert. When the storage fails, a call throws `BrokerError("ledger_unavailable")` and has changed nothing.
 */
export interface Ledger {
  admit(admission: Admission): Promise<AdmissionOutcome>
  /** Uses up the token, opens the lease and settles it as minted. If this fails, the credentials are thrown away unseen. */
  admitMinted(admission: MintedAdmission): Promise<AdmissionOutcome>
  /**
   * Stores, on a lease that is not settled yet, what can revoke a credential that is about to be minted. So a sweep can
   * revoke it when the broker dies before the outcome is recorded. The outcome replaces it. Refused with
   * `BrokerError("client_gone")` for a lease that its job has ended.
   */
  prepare(preparation: Preparation): Promise<void>
  /**
   * Called once for each lease. A second outcome, or one after `settleBy`, is refused with
   * `BrokerError("ledger_unavailable")`: the lease is over, and what was minted must be revoked. `minted` is refused with
   * `BrokerError("client_gone")` for a lease that its job has ended; what was minted must be revoked and settled as `failed`.
   */
  settle(settlement: Settlement): Promise<void>
  /**
   * Uses up the token, whatever the answer. While another call works on the same lease, or the broker waits for a retry,
   * the answer is `done` and some ends are still null. After this call the whole lease is over: credentials that no attempt
   * was revoking are due immediately, instead of at the end of their granted time. A lease that is `not-found` cannot be
   * opened by this run any more, because the exchange that names it may still be on its way.
   */
  beginRevocation(request: RevocationRequest): Promise<RevocationStart>
  /**
   * Stores the outcomes of one attempt. The sweep retries every credential that is neither revoked nor expired. The ledger
   * chooses the record's event: `lease.closed`, or `lease.revoking` while credentials are left. Nothing is changed when
   * another attempt came first and closed the lease, or continues with the credentials that are left.
   */
  settleRevocation(settlement: RevocationSettlement): Promise<void>
  /**
   * The credentials of a lease, without changing anything: for a revocation while the storage cannot be written. Null when
   * this run and attempt has no such lease.
   *
   * @throws {BrokerError} `ledger_unavailable` for an open lease too: only a record can end it
   */
  look(lease: LeaseOfRun): Promise<readonly LeaseCredentialState[] | null>
  /** Records a revocation that happened while the storage could not be written. Nothing changes for a closed lease. */
  recordRevocation(settlement: RevocationSettlement): Promise<void>
  /** Records a suspicion, once for each token and inside the limit of denials. */
  suspect(suspicion: Suspicion): Promise<void>
  standing(now: number): Promise<Standing>
  /**
   * Leases that have not ended, in the order of their ids, after the id `after` (empty: from the start), at most `limit`. For
   * rare acts of operators: it also reads past the closed leases that are kept.
   */
  openLeases(after: string, limit: number): Promise<readonly OpenLease[]>
  /**
   * Makes credentials due for revocation now, and records it; the sweep revokes them. Credentials that only expire are not
   * changed. Reads past closed leases, as `openLeases` does.
   */
  cutShort(order: EarlyEnd): Promise<EarlyEndOutcome>
  /** Stores handles that were sealed anew. Changes nothing else, and records nothing. `now`: Unix milliseconds. */
  replaceHandles(changes: readonly HandleChange[], now: number): Promise<void>
  /**
   * Uses a proof of an operator's token, whose first use binds it to its key. False for one that was used before, or of which
   * the ledger cannot know it, as after `too-old`. `now`: Unix milliseconds.
   */
  useProof(token: TokenUse, now: number): Promise<boolean>
  /** Appends a record of what an operator is about to do, or of what the broker does by itself. */
  append(audit: AuditDraft): Promise<void>
  /** The chained records after number `after` (0: from the start), at most `limit`, in order; only those that have not left. */
  auditTrail(after: number, limit: number): Promise<readonly ChainedRecord[]>
  /**
   * Deletes the oldest records, and keeps where the ledger begins then. Returns false, and changes nothing, when one of them is
   * missing or too young, when none would be left, or when what left today reaches as far as a day may: a wrong clock must not
   * empty a ledger. The caller knows that they are kept elsewhere, and limits their number.
   */
  archive(order: ArchiveOrder): Promise<boolean>
  /** Where the ledger begins; null: with its first record. */
  archived(): Promise<LedgerCut | null>
}

/** A ledger with what the sweep also needs: its due leases, and the deletion of expired entries of used tokens. */
export interface SweptLedger extends Ledger {
  /**
   * Ends leases that are due at `now` (Unix milliseconds), at most `limit`, those due earliest first: each is due later than
   * `now` afterwards. Closes what only expires. Begins and returns what must be revoked, except where `waitUntil` names a time
   * for every connection to ask: such a lease is due again then. Never begins a second revocation while one is running. When
   * fewer than `limit` were due, also deletes closed leases and entries of tokens whose time is over.
   */
  takeDue(now: number, limit: number, waitUntil?: WaitUntil): Promise<readonly DueLease[]>
  /** What `takeDue` would hand out, without changing anything: for a sweep while the storage cannot be written. */
  lookDue(now: number, limit: number): Promise<readonly DueLease[]>
}

/** Finds the ledger of a unit. `of` does no I/O; only calls on the ledger do. */
export interface Ledgers {
  of(issuerUrl: string, unitId: string): Ledger
}
