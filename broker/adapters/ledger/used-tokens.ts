import type { AuditEvent } from "../../core/audit-record.ts"
import type { LeaseOfRun } from "../../ports/ledger.ts"
import type { ProofUse, TokenUse } from "../../ports/token-use.ts"
import type { TokenRows } from "./rows.ts"

/**
 * How long an expired token is remembered, in seconds. So one visit deletes many entries. And after a clock was set back,
 * or on a machine with another clock, a token that the ledger has forgotten cannot be valid again.
 */
const FORGET_AFTER_SECONDS = 3600
export const FORGET_AT_MOST = 1000

/**
 * How many proofs of its key a token can be used with: one in 86 seconds for the longest life of a token, a day. Each is a row,
 * so a job must not make them without end. A revocation that ends something works beyond it: there are as many as leases.
 */
export const MAX_PROOFS_PER_TOKEN = 1000

/** When the entry of a token can be deleted, in Unix milliseconds. */
export const forgottenAt = (expiresAt: number): number => (expiresAt + FORGET_AFTER_SECONDS) * 1000

/** Entries that end before this can be deleted at `now` (Unix milliseconds), in Unix seconds. */
export const forgottenBefore = (now: number): number => Math.floor(now / 1000) - FORGET_AFTER_SECONDS

/**
 * How a use of a token comes out. `already-used`: it was used before, and this use does not prove its key with a new proof.
 * `used-up`: it was used with `MAX_PROOFS_PER_TOKEN` proofs.
 */
export type TokenOutcome = "used" | "already-used" | "used-up"

/**
 * The entry of a proof. It belongs to one token, because a proof names its token, and is forgotten with the token: whatever
 * clocks do, no proof is accepted twice. Never the key of a token, which has no spaces.
 */
const proofKey = (token: TokenUse, proof: ProofUse) => `proof ${token.key} ${proof.id}`

/** Names the run, so that no other run can use up a lease's id. Never the key of a token, which has no brackets. */
export const endedEarlyKey = ({ lease, runId, runAttempt }: LeaseOfRun): string =>
  JSON.stringify([runId, runAttempt, lease])

const markKey = (event: AuditEvent, { key }: TokenUse) => `${event} ${key}`

/** The keys of all entries that a use of a token can touch: its own, its proof's, and its marks. */
export const keysOf = (token: TokenUse): readonly string[] => [
  token.key,
  markKey("token.unbound", token),
  ...(token.proof ? [proofKey(token, token.proof)] : []),
]

/** The used tokens of one ledger, during a transaction. */
export class UsedTokens {
  readonly #rows: TokenRows
  #forgottenUntil: number

  /** @param forgottenUntil Unix seconds: the latest end of a token that was deleted */
  constructor(rows: TokenRows, forgottenUntil: number) {
    this.#rows = rows
    this.#forgottenUntil = forgottenUntil
  }

  get forgottenUntil(): number {
    return this.#forgottenUntil
  }

  /**
   * Whether the ledger cannot know if a token was used. Either the database was restored, and the token is older than that;
   * or a clock that was ahead made the ledger forget tokens that end later than this one.
   */
  isTooOld({ issuedAt, expiresAt }: TokenUse): boolean {
    return issuedAt < this.#rows.acceptFrom() || expiresAt <= this.#forgottenUntil
  }

  /**
   * Uses a token: for the first time, which binds it to the key that is proved, if one is; or again, with a new proof of that
   * key. `endsSomething`: the number of its proofs does not matter.
   *
   * Inserts first and checks the result: two calls could both pass a check before the insert.
   */
  use(token: TokenUse, endsSomething = false): TokenOutcome {
    const { key, expiresAt, proof } = token
    if (this.#rows.insert(key, expiresAt, proof?.thumbprint ?? null)) {
      if (proof) this.#keepProof(token, proof)
      return "used"
    }
    const outcome = this.#usedAgain(token)
    if (!proof || outcome === "already-used" || (outcome === "used-up" && !endsSomething)) return outcome
    this.#keepProof(token, proof)
    return "used"
  }

  /** How a use would come out, without using the token. */
  outcomeOf(token: TokenUse): TokenOutcome {
    return this.#rows.has(token.key) ? this.#usedAgain(token) : "used"
  }

  /** How a further use of a used token comes out. */
  #usedAgain(token: TokenUse): TokenOutcome {
    const { key, proof } = token
    if (!proof) return "already-used"
    const used = this.#rows.binding(key)
    if (used?.boundTo !== proof.thumbprint || this.#rows.has(proofKey(token, proof))) return "already-used"
    return used.proofs < MAX_PROOFS_PER_TOKEN ? "used" : "used-up"
  }

  #keepProof(token: TokenUse, proof: ProofUse): void {
    this.#rows.insert(proofKey(token, proof), token.expiresAt, null)
    this.#rows.countProof(token.key)
  }

  /** Marks a token with an event, without using it up. Returns false when it has the mark already. */
  markOnce(event: "token.unbound", token: TokenUse): boolean {
    return this.#rows.insert(markKey(event, token), token.expiresAt, null)
  }

  /**
   * Remembers that a run has ended a lease that does not exist: the exchange that names it may still be on its way, and must
   * not mint for a job that is over.
   *
   * It is an entry beside the one of the revocation's own token or proof, and is forgotten with the token. So a job that ends
   * made-up leases makes at most twice as many entries as with its tokens alone. The token of the exchange is the older of the
   * two, or the same, and can no longer be valid by then.
   */
  endEarly(lease: LeaseOfRun, { expiresAt }: TokenUse): void {
    this.#rows.insert(endedEarlyKey(lease), expiresAt, null)
  }

  /** Whether the run has ended this lease before it was opened. */
  isEndedEarly(lease: LeaseOfRun): boolean {
    return this.#rows.has(endedEarlyKey(lease))
  }

  /** Whether this is the first time that a used token is sent again. */
  isFirstReplay({ key }: TokenUse): boolean {
    return this.#rows.markReplay(key)
  }

  /**
   * Deletes the entries of tokens that are no longer valid at `now` (Unix milliseconds), oldest first. Keeps the latest end
   * of a deleted entry, because `now` can come from a clock that is ahead.
   */
  forgetDead(now: number): void {
    for (const end of this.#rows.forget(forgottenBefore(now), FORGET_AT_MOST)) {
      this.#forgottenUntil = Math.max(this.#forgottenUntil, end)
    }
  }

  /** When the next entry can be deleted, in Unix milliseconds; null when there is none. */
  nextForgotten(): number | null {
    const end = this.#rows.earliestEnd()
    return end === null ? null : forgottenAt(end)
  }
}
