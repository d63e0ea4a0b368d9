import { bytesToHex } from "@noble/hashes/utils.js"
import type { Sha256 } from "../core/audit-chain.ts"
import { formatCheckpoint } from "../core/checkpoint/checkpoint.ts"
import { parseEdge } from "../core/checkpoint/edge.ts"
import { ledgerHeadLeaf } from "../core/checkpoint/ledger-head.ts"
import { sameHash } from "../core/checkpoint/proofs.ts"
import type { TrustPolicy } from "../core/checkpoint/trust-policy.ts"
import { BrokerError } from "../core/errors.ts"
import type { Clock } from "../ports/clock.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { Ed25519 } from "../ports/ed25519.ts"
import type { FollowedRecords, Reader } from "../ports/followed.ts"
import type { Http } from "../ports/http.ts"
import type { LedgerCut, Ledgers } from "../ports/ledger.ts"
import type { Log } from "../ports/log.ts"
import type { NewHead, TreeStore } from "../ports/tree-store.ts"
import { cosigned, uncosigned } from "./cosign.ts"
import { type LogState, type LogStates, type ReadState, rootOf } from "./log-state.ts"
import { growTree, Trees } from "./trees.ts"

/** A checkpoint at most this often: each costs a signature, a proof and a request to each witness. */
export const CHECKPOINT_EVERY_MS = 5 * 60_000
/** After this time, a witness that did not answer is asked again. Each new checkpoint asks it, too. */
const ASK_AGAIN_MS = 60_000
/** After a step that another broker may have taken at the same time. */
const SOON_MS = 1000
/** Heads of one checkpoint. The rest waits for the next one. */
const HEADS_AT_ONCE = 5000
const RECORDS_AT_ONCE = 1000

export interface LogOfHeadsParts {
  readonly store: TreeStore
  readonly states: LogStates
  readonly ledgers: Ledgers
  readonly ed25519: Ed25519
  readonly sha256: Sha256
  readonly http: Http
  readonly clock: Clock
  readonly log: Log
  /** The witnesses and their quorum, as the policies in force say; null: none. */
  witnesses(): Promise<TrustPolicy | null>
  /** Records what the broker did by itself. */
  record(event: "log.begun" | "record.rewritten", reason: string): Promise<void>
}

/**
 * The log of heads: one RFC 6962 tree over the heads of all ledgers' trees, whose checkpoints are signed, and cosigned by
 * witnesses.
 *
 * A log never signs two histories. Each checkpoint is signed only after the stored tree was seen to begin with the one before,
 * and leaves only after it was stored by compare-and-swap. A state that is lost or does not fit begins another log.
 */
export class LogOfHeads implements Reader {
  readonly name = "checkpoint"
  readonly from = "start"
  readonly #parts: LogOfHeadsParts
  readonly trees: Trees
  /** The last call of `due`, and the time that it named. All in Unix milliseconds. */
  #waits = { at: 0, next: 0 }
  /** Whether a step is to be done at that time although no ledger has grown. */
  #isOwed = false
  /** The log's name; empty before it is known. */
  #origin = ""
  /** When it last asked witnesses about a checkpoint, and about which. */
  #asked: { readonly text: string; readonly at: number } = { text: "", at: 0 }

  constructor(parts: LogOfHeadsParts) {
    this.#parts = parts
    this.trees = new Trees(parts.store, parts.sha256)
  }

  async take({ ledger, records }: FollowedRecords): Promise<void> {
    const { store, ledgers } = this.#parts
    let growth = await growTree(this.trees, store, ledger, records)
    if (growth.outcome === "rewritten") {
      await this.#tellRewritten(ledger, growth.seq)
      await store.forget(ledger)
      growth = { outcome: "unfit", size: 0 }
    }
    const last = records.at(-1)?.record.seq ?? 0
    const own = ledgers.of(ledger.issuerUrl, ledger.unitId)
    while (growth.outcome === "unfit") {
      const missing = await own.auditTrail(growth.size, RECORDS_AT_ONCE)
      if (missing[0]?.record.seq === growth.size + 1) {
        const filled = await growTree(this.trees, store, ledger, missing)
        // Rewritten while it was read: the next time tells.
        if (filled.outcome === "rewritten") throw new BrokerError("ledger_unavailable", GAP)
      } else {
        await this.#beginAt(ledger, growth.size, await own.archived())
      }
      const size = await store.size(ledger)
      growth = size >= last ? { outcome: "grown" } : { outcome: "unfit", size }
    }
  }

  /** Begins the tree of a ledger whose older records were archived, where the hashes of a smaller tree were lost. */
  async #beginAt(ledger: LedgerKey, size: number, cut: LedgerCut | null): Promise<void> {
    const { store, log } = this.#parts
    const edge = cut === null || cut.seq <= size ? null : parseEdge(cut.seq, cut.edge)
    if (cut === null || edge === null) throw new BrokerError("ledger_unavailable", GAP)
    const detail = `records 1 to ${cut.seq} were archived before these hashes were stored: the broker proves later ones only`
    log({ event: "checkpoint.begun_late", detail, issuer: ledger.issuerUrl, unit_id: ledger.unitId })
    if (size > 0) await store.forget(ledger)
    await store.grow(ledger, 0, cut.seq, edge)
  }

  /** Signs a checkpoint when there are new heads and it is time, and asks witnesses. */
  async due(now: number): Promise<number | null> {
    // Called often: nothing is read before the time that the last call has named. A clock that was set back waits for nothing.
    const { at, next } = this.#waits
    if (now < at || now >= next) this.#waits = { at: now, next: await this.#due(now) }
    const isOwed = this.#isOwed || (await this.#parts.store.grown(this.#origin, 1)).length > 0
    return isOwed ? this.#waits.next : null
  }

  async #due(now: number): Promise<number> {
    this.#isOwed = true
    const read = await this.#whole()
    if (read === null) return now + SOON_MS
    const signedAt = read.state.signedAt === null ? 0 : Date.parse(read.state.signedAt)
    // A clock that was set back must not stop checkpoints.
    const isTime = now >= signedAt + CHECKPOINT_EVERY_MS || now < signedAt
    const signed = isTime ? await this.#sign(read, now) : read
    if (signed === null) return now + SOON_MS
    const asksAgain = await this.#ask(signed, now)
    this.#isOwed = asksAgain !== null
    return Math.min(now + CHECKPOINT_EVERY_MS, asksAgain ?? Number.POSITIVE_INFINITY)
  }

  /** The state of a log whose stored tree fits it; null: it has just begun, or another broker was first. */
  async #whole(): Promise<ReadState | null> {
    const { store, states, record, log } = this.#parts
    const read = await states.read()
    if (read === null) {
      // Nothing to sign: a broker that nobody uses has no log.
      if ((await store.grown("", 1)).length === 0) {
        this.#isOwed = false
        return null
      }
      await states.begin(0, "the first log of this deployment")
      return null
    }
    this.#origin = states.originOf(read.state)
    const reason = await this.#reasonToBegin(read.state)
    if (reason !== null) {
      await states.begin(read.version, reason)
      return null
    }
    if (read.state.recorded) return read
    const origin = this.#origin
    await record("log.begun", `log of heads ${origin}: ${read.state.reason}`)
    log({ event: "checkpoint.log_begun", detail: `the log of heads ${origin} begins: ${read.state.reason}` })
    await states.replace(read.version, { ...read.state, recorded: true })
    return await states.read()
  }

  async #reasonToBegin(state: LogState): Promise<string | null> {
    const { store, states } = this.#parts
    if ((await states.signer(state)) === null && state.text !== null) return "the key of the log before was lost"
    const log = states.originOf(state)
    if ((await store.size({ log })) < state.size) return "the stored hashes of the log before were lost"
    const isSame = sameHash(await this.trees.root({ log }, state.size), rootOf(state))
    return isSame ? null : "the stored hashes of the log before do not fit its last checkpoint"
  }

  /** The state with a new checkpoint, or as it is when there is nothing new; null when another broker was first. */
  async #sign(read: ReadState, now: number): Promise<ReadState | null> {
    const { states, log } = this.#parts
    const { state, version } = read
    const origin = states.originOf(state)
    const signer = await states.signer(state)
    if (signer === null) return null
    const size = await this.#appendHeads(origin, state.published?.size ?? 0)
    if (size === null) return null
    if (size === state.size) return read
    const root = await this.trees.root({ log: origin }, size)
    const text = formatCheckpoint({ origin, size, root })
    const line = await signer.sign(text)
    const next: LogState = {
      ...state,
      ...{ size, root: bytesToHex(root), text, line, signedAt: new Date(now).toISOString() },
    }
    // Only what is stored leaves: of two brokers that sign at once, one signature is thrown away unseen.
    if (!(await states.replace(version, next))) return null
    log({ event: "checkpoint.signed", detail: `checkpoint ${size} of ${origin}` })
    return { version: version + 1, state: next }
  }

  /** Appends the heads of ledgers that have grown. Returns the log's size; null when another broker was first. */
  async #appendHeads(log: string, published: number): Promise<number | null> {
    const { store, sha256 } = this.#parts
    const size = await store.size({ log })
    const heads: NewHead[] = []
    for (const { issuerUrl, unitId, size: records } of await store.grown(log, HEADS_AT_ONCE)) {
      const root = await this.trees.root({ issuerUrl, unitId }, records)
      heads.push({ issuerUrl, unitId, size: records, root: bytesToHex(root) })
    }
    if (heads.length === 0) return size
    const leaves = heads.map((head) => ledgerHeadLeaf(headOf(head), sha256))
    const tiles = await this.trees.tilesWith({ log }, size, leaves)
    return (await store.append(log, { from: size, published }, heads, tiles)) ? size + heads.length : null
  }

  /** Asks witnesses about the newest checkpoint. Returns when to ask again, in Unix milliseconds; null: with the next one. */
  async #ask({ state, version }: ReadState, now: number): Promise<number | null> {
    const { states, http, ed25519, log } = this.#parts
    const policy = await this.#parts.witnesses()
    const { text } = state
    if (text === null) return null
    const missing = uncosigned(state, policy)
    const isPause = this.#asked.text === text && now - this.#asked.at < ASK_AGAIN_MS && now >= this.#asked.at
    const asked = isPause ? [] : missing
    if (asked.length > 0) this.#asked = { text, at: now }
    const origin = states.originOf(state)
    const prove = (old: number, size: number) => this.trees.consistency({ log: origin }, old, size)
    const next = await cosigned(state, { policy, asked }, { http, verify: ed25519.verify, prove, log, now })
    // When another broker was first, it has asked, too.
    if (next !== state) await states.replace(version, next)
    return uncosigned(next, policy).length > 0 ? this.#asked.at + ASK_AGAIN_MS : null
  }

  async #tellRewritten(ledger: LedgerKey, seq: number): Promise<void> {
    const { record, log } = this.#parts
    const about = { issuer: ledger.issuerUrl, unit_id: ledger.unitId }
    const detail = `record ${seq} is another one than the checkpoints have: the ledger was set back to an older state, or changed`
    log({ event: "record.rewritten", detail, ...about })
    await record(
      "record.rewritten",
      `unit ${JSON.stringify(about.unit_id)} of ${JSON.stringify(about.issuer)}: ${detail}`,
    )
  }
}

const headOf = ({ issuerUrl, unitId, size, root }: NewHead) => ({
  ledger: { issuer: issuerUrl, unit_id: unitId },
  size,
  root: Uint8Array.from(root.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)),
})

const GAP =
  "The stored hashes of the audit trail lack records that the ledger does not have any more, so that no checkpoint can prove them."
