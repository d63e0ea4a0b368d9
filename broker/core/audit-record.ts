import type { BoundedMap } from "./bounded-map.ts"
import type { Identity } from "./identity.ts"
import type { Approval } from "./policy/break-glass.ts"
import { visible } from "./policy/faults.ts"

/**
 * The form of the records that this version writes. Version 1 had no such member, and named repositories instead of units.
 * A chain can begin with records of version 1 and go on with these: hashes do not depend on the form.
 */
export const RECORD_VERSION = 2

/**
 * What happened.
 *
 * - `exchange.intended`: the broker is about to mint; durable before a vendor is asked
 * - `exchange.denied`: policy refused a valid token of a listed owner
 * - `exchange.minted`, `exchange.failed`: the outcome of an intended exchange. Where the broker alone minted, in its memory,
 *   `exchange.minted` stands for the intent, too
 * - `token.replayed`: a used subject token was sent again; recorded once for each token, however often it is sent
 * - `token.unbound`: a key-bound token was sent without its key, which is how a thief would use it; once for each token
 * - `lease.refused`: a run asked for the revocation of another run's lease
 * - `limit.reached`: a limit stood in the way of an exchange; recorded once an hour for each limit
 * - `denials.counted`: how many denials of an hour were beyond the limit and have no record of their own
 * - `lease.revoking`, `lease.closed`: the revocation of a lease's credentials
 * - `keys.changed`: the broker's own keys are about to change: an operator's act, or in the deployment's own ledger a schedule's
 * - `log.begun`: the broker began a log of heads, whose checkpoints it signs; `reason` has its name and why
 * - `record.rewritten`: a record of a ledger is another one than the checkpoints have
 * - `operator.acted`: an operator is about to do what the reason says; durable before it is done
 * - `policies.changed`: other policies are in force than before, in the deployment's own ledger
 * - `alert.failed`: an endpoint was switched off, or a message to it was given up; in the deployment's own ledger
 * - `leak.reported`: a value that a lease gave was found where it must not be; the reason says where. `grants` are those that gave it
 * - `records.archived`: the oldest records leave the ledger, which have been exported; in the same transaction
 * - `stop.ordered`, `stop.lifted`: an operator, or an alarm, is about to stop or to resume what the reason says
 */
export type AuditEvent =
  | "exchange.intended"
  | "exchange.denied"
  | "exchange.minted"
  | "exchange.failed"
  | "token.replayed"
  | "token.unbound"
  | "lease.refused"
  | "limit.reached"
  | "denials.counted"
  | "lease.revoking"
  | "lease.closed"
  | "operator.acted"
  | "keys.changed"
  | "stop.ordered"
  | "stop.lifted"
  | "log.begun"
  | "record.rewritten"
  | "policies.changed"
  | "alert.failed"
  | "leak.reported"
  | "records.archived"

/** The part of a verified job that every record has: ids, names, ref, event, actor and run. */
export interface AuditIdentity {
  readonly issuer: string
  readonly unit_kind: string
  readonly unit: string
  readonly unit_id: string
  readonly owner: string
  readonly owner_id: string
  readonly environment: string | null
  readonly ref: string | null
  readonly event: string | null
  readonly actor: string | null
  readonly actor_id: string | null
  readonly run_id: string
  readonly run_attempt: string
}

/** Whether the values came from the broker's memory: all (`hit`), none (`miss`) or some of them (`partly`). */
export type CacheUse = "hit" | "miss" | "partly"

/**
 * How the subject token is tied to a key of its job. `thumbprint`: its audience names the key. `dpop`: its first use bound it
 * to a key, with a proof by RFC 9449. `none`: it could have been bound. `impossible`: the issuer's audience cannot carry a
 * thumbprint, and there was no proof.
 */
export type TokenBinding = "thumbprint" | "dpop" | "none" | "impossible"

/** What only the mint of a grant knows; in the record of its outcome. Never a value. */
export interface Learnt {
  /** Present when the connection keeps values in memory. */
  readonly cache?: CacheUse
  /** How many values the job got. Present when the grant reads a whole item, so that the policy does not say it. */
  readonly values?: number
  /** Versions of what a store gave, by locators without their fields, where its answer has them. Null: no room. */
  readonly versions?: BoundedMap<string>
  /** How many versions are not in the map. Present when there are some. */
  readonly versions_left_out?: number
  /** The public names of the keys that opened encrypted files, by the files. Null: no room. */
  readonly keys?: BoundedMap<string>
  /** SHA-256 of high-entropy tokens that were minted, in hex, by the names of their values. */
  readonly fingerprints?: Readonly<Record<string, string>>
  /** Public ids of credentials that were minted, such as AWS access key ids, by the names of their values. */
  readonly ids?: Readonly<Record<string, string>>
}

/** An approval of a run, in a record: names and the comment bounded, on one line, without invisible characters. */
export interface RecordedApproval {
  /** For people. The id decided. */
  readonly approver: string
  readonly approver_id: string
  /** The comment of the approval; empty when there was none. */
  readonly reason: string
}

export interface AuditGrant extends Learnt {
  readonly name: string
  readonly connection: string
  readonly provider: string
  /** The resource, in the provider's terms: a role's ARN, an audience. */
  readonly resource: string
  readonly ttl_seconds: number
  /** Present when the grant demanded approvals: those of other people that counted. */
  readonly break_glass?: { readonly approvals: readonly RecordedApproval[] }
}

/** A record as its writer makes it. The ledger adds `seq`, and keeps `at` in order, when it appends. */
export interface AuditDraft {
  readonly version: typeof RECORD_VERSION
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string
  readonly request_id: string
  readonly event: AuditEvent
  /** Null when the broker acted by itself, for example when it closed an expired lease. */
  readonly identity: AuditIdentity | null
  /** SHA-256 of the subject token's signed part, base64url; never the token. Null when there was no token. */
  readonly token_digest: string | null
  /** Null when there was no token. */
  readonly token_binding: TokenBinding | null
  readonly lease: string | null
  readonly grants: readonly AuditGrant[]
  readonly decision: "allow" | "deny" | null
  /** A code or our own sentence. */
  readonly reason: string
  /** Version of the policy set that decided; null when no policy was needed. */
  readonly policy_version: string | null
  readonly client_address: string | null
  /**
   * What the job's token says for the claims that the policies in force read: present in the records of a decision. A claim
   * that is not in the map was not in the token. Null: it was there, and its value is not recorded.
   */
  readonly claims?: ClaimsRead
  /** How many claims are not in the map although the token has them. Present when there are some. */
  readonly claims_left_out?: number
}

/** Claims as rules compare them: texts, and lists of texts. */
export type ClaimsRead = BoundedMap<string | readonly string[]>

/** One record in the chain of one unit. `seq` starts at 1 and has no gaps. */
export interface AuditRecord extends AuditDraft {
  readonly seq: number
}

/** A record of what the broker did by itself: without a job, a token or a decision. */
export function brokersDraft(
  event: AuditEvent,
  about: { readonly at: Date; readonly requestId: string; readonly lease: string | null; readonly reason: string },
): AuditDraft {
  return {
    version: RECORD_VERSION,
    at: about.at.toISOString(),
    request_id: about.requestId,
    event,
    identity: null,
    token_digest: null,
    token_binding: null,
    lease: about.lease,
    grants: [],
    decision: null,
    reason: about.reason,
    policy_version: null,
    client_address: null,
  }
}

/**
 * Reduces a verified identity to the recorded fields. Names that people chose, such as a branch, are recorded with invisible
 * characters escaped: a record is one line of an export, and some readers end a line at U+2028.
 */
export function auditIdentity(identity: Identity): AuditIdentity {
  return {
    issuer: identity.issuerUrl,
    unit_kind: identity.unitKind,
    unit: visible(identity.unit),
    unit_id: visible(identity.unitId),
    owner: visible(identity.owner),
    owner_id: visible(identity.ownerId),
    environment: shown(identity.environment ?? null),
    ref: shown(identity.ref),
    event: shown(identity.event),
    actor: shown(identity.actor),
    actor_id: shown(identity.actorId),
    run_id: visible(identity.runId),
    run_attempt: visible(identity.runAttempt),
  }
}

const shown = (text: string | null): string | null => (text === null ? null : visible(text))

/** In UTF-16 code units. People outside of the broker choose both, and every record is kept. */
const MAX_REASON = 512
const MAX_NAME = 128

/** An approval as records keep it: each text on one line, without invisible characters, bounded. */
export const recordedApproval = ({ approver, approverId, comment }: Approval): RecordedApproval => ({
  approver: bounded(approver, MAX_NAME),
  approver_id: bounded(approverId, MAX_NAME),
  reason: bounded(comment.trim().replace(/\s+/g, " "), MAX_REASON),
})

// Cut before and after: escapes make a text longer.
const bounded = (text: string, most: number) => visible(text.slice(0, most)).slice(0, most).toWellFormed()
