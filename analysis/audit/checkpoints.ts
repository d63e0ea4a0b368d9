import { hexToBytes } from "@noble/hashes/utils.js"
import type { LedgerName, Sha256 } from "../../broker/core/audit-chain.ts"
import { isRecordOf, type ProvenHead, verifyLedgerHead } from "../../broker/core/checkpoint/ledger-head.ts"
import { sameHash } from "../../broker/core/checkpoint/proofs.ts"
import { parseTlogProof, splitTlogProofs } from "../../broker/core/checkpoint/tlog-proof.ts"
import { CompactTree } from "../../broker/core/checkpoint/tree.ts"
import {
  type TrustedCheckpoint,
  type TrustPolicy,
  verifyCheckpoint,
} from "../../broker/core/checkpoint/trust-policy.ts"
import type { VerifyEd25519 } from "../../broker/core/checkpoint/verifier-key.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { textOfUtf8 } from "../../broker/core/utf8.ts"
import type { LeafWatcher } from "./verify.ts"

/** A checkpoint that fulfils the policy. */
export interface CheckedCheckpoint extends TrustedCheckpoint {
  readonly origin: string
  readonly size: number
}

export interface CheckedProofs {
  readonly checkpoints: readonly CheckedCheckpoint[]
  readonly heads: readonly ProvenHead[]
}

/**
 * Reads a file of proofs, one after another, each of which says the head of one ledger, and verifies them against the policy.
 * Never throws; the reason says which proof is wrong, and quotes no more of it than a name of a key.
 */
export async function verifyProofs(
  bytes: Uint8Array,
  policy: TrustPolicy,
  verify: VerifyEd25519,
  sha256: Sha256,
): Promise<Result<CheckedProofs, string>> {
  const text = textOfUtf8(bytes)
  if (text === null || text === "") return fail("it is empty, or not UTF-8")
  const checkpoints = new Map<string, CheckedCheckpoint>()
  const heads: ProvenHead[] = []
  for (const [at, part] of splitTlogProofs(text).entries()) {
    const proof = parseTlogProof(new TextEncoder().encode(part))
    if (!proof.ok) return fail(`proof ${at + 1}: ${proof.fault}`)
    const { checkpoint } = proof.value
    // All proofs of one answer have the same checkpoint, with the same signatures.
    const id = part.slice(part.indexOf("\n\n"))
    if (!checkpoints.has(id)) {
      const trusted = await verifyCheckpoint(checkpoint, policy, verify)
      if (!trusted.ok) return fail(`proof ${at + 1}: ${trusted.fault}`)
      checkpoints.set(id, { ...trusted.value, origin: checkpoint.origin, size: checkpoint.size })
    }
    const head = verifyLedgerHead(proof.value, sha256)
    if (!head.ok) return fail(`proof ${at + 1}: ${head.fault}`)
    heads.push(head.value)
  }
  return ok({ checkpoints: [...checkpoints.values()], heads })
}

/** How far a ledger of the file is proven. */
export interface Coverage {
  readonly ledger: LedgerName
  /** Records up to this one are those of a checkpoint; 0: none. */
  readonly proven: number
  readonly records: number
}

/** Why a ledger does not fit a checkpoint. */
export interface Misfit {
  readonly ledger: LedgerName
  /** Our own sentence. */
  readonly reason: string
}

/** Compares the leaves of a file with proven heads of its ledgers, while the file is verified. */
export class CheckpointWatcher implements LeafWatcher {
  readonly #sha256: Sha256
  readonly #heads = new Map<string, readonly ProvenHead[]>()
  readonly #coverage: Coverage[] = []
  readonly #misfits: Misfit[] = []
  #current: { readonly ledger: LedgerName; readonly heads: readonly ProvenHead[]; readonly tree: CompactTree } | null =
    null
  #proven = 0
  #records = 0

  constructor(heads: readonly ProvenHead[], sha256: Sha256) {
    this.#sha256 = sha256
    for (const head of heads) {
      const id = idOf(head.head.ledger)
      this.#heads.set(id, [...(this.#heads.get(id) ?? []), head])
    }
  }

  ledger(name: LedgerName): void {
    this.#close()
    const id = idOf(name)
    this.#current = { ledger: name, heads: this.#heads.get(id) ?? [], tree: new CompactTree(this.#sha256) }
    this.#heads.delete(id)
    this.#proven = 0
    this.#records = 0
  }

  /** The tree of a ledger needs all leaves. */
  from(seq: number): void {
    this.#records = seq
    const current = this.#current
    if (current === null || current.heads.length === 0) return
    this.#misfits.push({ ledger: current.ledger, reason: leftOut(seq) })
    this.#current = { ...current, heads: [] }
  }

  leaf(leaf: string): void {
    this.#records += 1
    const current = this.#current
    // A ledger without a head costs no hashes.
    if (current === null || current.heads.length === 0) return
    const { ledger, heads, tree } = current
    tree.append(hexToBytes(leaf))
    for (const { head, record } of heads) {
      if (record?.seq === tree.size && !isRecordOf(head, record, leaf, this.#sha256)) {
        this.#misfits.push({ ledger, reason: `record ${record.seq} is not the one of the checkpoint: it was changed` })
      }
      if (head.size !== tree.size) continue
      if (sameHash(tree.root(), head.root)) this.#proven = Math.max(this.#proven, head.size)
      else this.#misfits.push({ ledger, reason: changed(head.size) })
    }
  }

  /** What came of it, after the file was read to its end. */
  end(): { readonly coverage: readonly Coverage[]; readonly misfits: readonly Misfit[] } {
    this.#close()
    for (const heads of this.#heads.values()) {
      for (const { head } of heads.slice(0, 1)) {
        this.#misfits.push({ ledger: head.ledger, reason: "the checkpoint has this ledger, and the file has not" })
      }
    }
    return { coverage: this.#coverage, misfits: this.#misfits }
  }

  #close(): void {
    if (this.#current === null) return
    const { ledger, heads } = this.#current
    for (const { head, record } of heads) {
      // The proof of one record needs no more of the ledger than that record.
      const needed = record?.seq ?? head.size
      if (needed > this.#records) this.#misfits.push({ ledger, reason: missing(needed, this.#records) })
    }
    this.#coverage.push({ ledger, proven: this.#proven, records: this.#records })
    this.#current = null
  }
}

const changed = (size: number) =>
  `records 1 to ${size} are not those of the checkpoint: at least one of them was changed after it was signed`

const leftOut = (seq: number) =>
  `records 1 to ${seq} are not in the file, and the checkpoint is over all of them: export without --since, or verify the folder of an export that has them`

const missing = (needed: number, records: number) =>
  `the checkpoint has ${needed} records, and the file ${records}: it was cut, or was exported before the checkpoint`

const idOf = ({ issuer, unit_id }: LedgerName): string => JSON.stringify([issuer, unit_id])
