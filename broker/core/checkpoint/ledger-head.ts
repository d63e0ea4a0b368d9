import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import type { LedgerName, Sha256 } from "../audit-chain.ts"
import { canonicalJson } from "../canonical-json.ts"
import { fail, ok, type Result } from "../result.ts"
import { jsonOfUtf8 } from "../utf8.ts"
import { decodeHash, encodeBase64 } from "./base64.ts"
import { rootOfInclusion, sameHash, type TreeHead } from "./proofs.ts"
import type { TlogProof } from "./tlog-proof.ts"
import { type Hash, leafHash } from "./tree.ts"

/** The head of one ledger, which is an entry in the log of heads: how many records it had, and the root of their leaves. */
export interface LedgerHead extends TreeHead {
  readonly ledger: LedgerName
}

/** A record's place in the tree of its ledger. */
export interface RecordPlace {
  /** The record's number, from 1. */
  readonly seq: number
  readonly hashes: readonly Hash[]
}

/** The entry's text in the log: canonical JSON, `{"ledger":{"issuer","unit_id"},"root":HEX,"size":N}`. */
export function formatLedgerHead({ ledger, root, size }: LedgerHead): string {
  const { issuer, unit_id } = ledger
  const named = { issuer: issuer.toWellFormed(), unit_id: unit_id.toWellFormed() }
  const text = canonicalJson({ ledger: named, root: bytesToHex(root), size })
  if (!text.ok) throw new TypeError(`a ledger's head has no canonical text: ${text.fault}`)
  return text.value
}

export const ledgerHeadLeaf = (head: LedgerHead, sha256: Sha256): Hash =>
  leafHash(utf8ToBytes(formatLedgerHead(head)), sha256)

/**
 * What the `extra` line of a proof carries, as canonical JSON: the entry itself, and for one record its place in the ledger's
 * tree, `{"head":{...},"record":{"proof":[BASE64, ...],"seq":N}}`.
 */
export function formatProofExtra(head: LedgerHead, record: RecordPlace | null): Uint8Array {
  const place =
    record === null ? "" : `,"record":${JSON.stringify({ proof: record.hashes.map(encodeBase64), seq: record.seq })}`
  return utf8ToBytes(`{"head":${formatLedgerHead(head)}${place}}`)
}

/** A proof whose log contains this head. Whether the log is to be trusted, its checkpoint says: see `verifyCheckpoint`. */
export interface ProvenHead {
  readonly head: LedgerHead
  readonly record: RecordPlace | null
}

/**
 * Verifies that the head in a proof's `extra` line is the entry that the proof is about. Never throws; the reason quotes
 * nothing of the proof.
 */
export function verifyLedgerHead(proof: TlogProof, sha256: Sha256): Result<ProvenHead, string> {
  const proven = readExtra(proof.extra)
  if (proven === null) return fail("the proof's extra line names no head of a ledger")
  const root = rootOfInclusion(
    { index: proof.index, size: proof.checkpoint.size },
    ledgerHeadLeaf(proven.head, sha256),
    proof.hashes,
    sha256,
  )
  if (root === null || !sameHash(root, proof.checkpoint.root)) {
    return fail("the checkpoint's log does not contain the head that the proof names")
  }
  return ok(proven)
}

/** Whether `leaf` (hex, as in an export) is record `record.seq` of the ledger with this head. */
export function isRecordOf(head: LedgerHead, { seq, hashes }: RecordPlace, leaf: string, sha256: Sha256): boolean {
  const root = rootOfInclusion({ index: seq - 1, size: head.size }, hexToBytes(leaf), hashes, sha256)
  return root !== null && sameHash(root, head.root)
}

function readExtra(extra: Uint8Array | null): ProvenHead | null {
  const value = jsonOfUtf8(extra ?? new Uint8Array())
  if (!isObject(value)) return null
  const head = readHead(value["head"])
  const record = value["record"] === undefined ? null : readPlace(value["record"])
  return head === null || record === undefined ? null : { head, record }
}

function readHead(value: unknown): LedgerHead | null {
  if (!isObject(value) || !isObject(value["ledger"])) return null
  const { root, size } = value
  const { issuer, unit_id } = value["ledger"]
  if (typeof issuer !== "string" || typeof unit_id !== "string" || !isCount(size)) return null
  if (!issuer.isWellFormed() || !unit_id.isWellFormed()) return null
  if (typeof root !== "string" || !/^[0-9a-f]{64}$/.test(root)) return null
  return { ledger: { issuer, unit_id }, root: hexToBytes(root), size }
}

function readPlace(value: unknown): RecordPlace | undefined {
  if (!isObject(value) || !isCount(value["seq"]) || !Array.isArray(value["proof"])) return undefined
  const hashes = value["proof"].map((hash) => (typeof hash === "string" ? decodeHash(hash) : null))
  return hashes.includes(null) || hashes.length > 63 ? undefined : { seq: value["seq"], hashes: hashes as Hash[] }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0
