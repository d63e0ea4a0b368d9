import { hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import { parseCheckpoint, type SignedCheckpoint } from "../core/checkpoint/checkpoint.ts"
import { formatProofExtra, type RecordPlace } from "../core/checkpoint/ledger-head.ts"
import { formatReportNote } from "../core/checkpoint/report-note.ts"
import { formatTlogProof } from "../core/checkpoint/tlog-proof.ts"
import { formatVerifierKey } from "../core/checkpoint/verifier-key.ts"
import { BrokerError } from "../core/errors.ts"
import type { CheckpointSource } from "../ports/checkpoints.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { TreeStore } from "../ports/tree-store.ts"
import type { LogStates } from "./log-state.ts"
import type { Trees } from "./trees.ts"
import { bodyOf } from "./witness.ts"

export interface CheckpointsParts {
  readonly store: TreeStore
  readonly states: LogStates
  readonly trees: Trees
  /** The lines of the organisation's policy of witnesses; null: none. */
  witnessLines(): Promise<string | null>
}

/** What is given away, from the stored log of heads. */
export class Checkpoints implements CheckpointSource {
  readonly #parts: CheckpointsParts

  constructor(parts: CheckpointsParts) {
    this.#parts = parts
  }

  async latest(): Promise<string | null> {
    return (await this.#published())?.note ?? null
  }

  async policy(): Promise<string | null> {
    const { states } = this.#parts
    const read = await states.read()
    const signer = read === null ? null : await states.signer(read.state)
    if (signer === null) return null
    return `log ${formatVerifierKey(signer.key)}\n${(await this.#parts.witnessLines()) ?? "quorum none"}\n`.replace(
      /\n+$/,
      "\n",
    )
  }

  async signReport(sha256: string, at: Date): Promise<string | null> {
    const { states } = this.#parts
    const read = await states.read()
    const signer = read === null ? null : await states.signer(read.state)
    if (signer === null) return null
    const text = formatReportNote({ origin: signer.key.name, sha256, at: at.toISOString() })
    return `${text}\n${await signer.sign(text)}`
  }

  async since(old: number): Promise<string | null> {
    const published = await this.#published()
    if (published === null || old > published.checkpoint.size) return null
    const { origin, size } = published.checkpoint
    const proof = await this.#parts.trees.consistency({ log: origin }, old, size)
    const [text = "", lines = ""] = published.note.split(/\n\n(?=\u2014 )/)
    return bodyOf(old, proof, { text: `${text}\n`, line: lines })
  }

  async prove(ledger: LedgerKey, seq?: number): Promise<string | null> {
    const { store, trees } = this.#parts
    const published = await this.#published()
    if (published === null) return null
    const { checkpoint } = published
    const log = checkpoint.origin
    const head = await store.head(log, ledger, checkpoint.size)
    if (head === null || (seq !== undefined && seq > head.size)) return null
    const record: RecordPlace | null =
      seq === undefined ? null : { seq, hashes: await trees.inclusion(ledger, seq - 1, head.size) }
    const named = { issuer: ledger.issuerUrl, unit_id: ledger.unitId }
    const extra = formatProofExtra({ ledger: named, size: head.size, root: hexToBytes(head.root) }, record)
    const hashes = await trees.inclusion({ log }, head.index, checkpoint.size)
    return formatTlogProof({ extra, index: head.index, hashes, checkpoint })
  }

  async #published(): Promise<{ readonly note: string; readonly checkpoint: SignedCheckpoint } | null> {
    const read = await this.#parts.states.read()
    const note = read?.state.published?.note
    if (note === undefined) return null
    const checkpoint = parseCheckpoint(utf8ToBytes(note))
    if (!checkpoint.ok) {
      throw new BrokerError("ledger_unavailable", `The stored checkpoint cannot be read: ${checkpoint.fault}.`)
    }
    return { note, checkpoint: checkpoint.value }
  }
}
