import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js"
import { canonicalJson } from "./canonical-json.ts"
import { fail, ok, type Result } from "./result.ts"

/** Whose chain it is. Goes into the chain's start, so that no chain can be passed off as another repository's. */
export interface LedgerName {
  readonly issuer: string
  readonly repository_id: string
}

/** Where a chain stands: its last record's number and hash; number 0 and the start's hash while it is empty. */
export interface ChainHead {
  readonly seq: number
  readonly chain: string
}

/** A record's canonical text with its place in the chain. Hashes are SHA-256 in lower-case hex. */
export interface ChainLink {
  readonly text: string
  readonly leaf: string
  readonly chain: string
}

/** The longest record, in bytes of its canonical text. The chain refuses a longer one, so that a verifier can have a bound. */
export const MAX_RECORD_BYTES = 256 * 1024

// What is hashed starts with a byte that says what it is: without it, a record could be made to hash like a link (RFC 9162
// section 2.1.1 has the same).
const LEAF = Uint8Array.of(0x00)
const LINK = Uint8Array.of(0x01)
const START = "daypass audit chain, version 1\n"

const encoder = new TextEncoder()

/**
 * The hash that a ledger's first record is chained to: SHA-256 over the format's name and the ledger's.
 *
 * Hashing is synchronous on purpose, here and below: WebCrypto's would have to be awaited, and nothing may be awaited
 * between reading a chain's head and writing its next record.
 */
export function chainStart(ledger: LedgerName): string {
  const name = JSON.stringify([ledger.issuer.toWellFormed(), ledger.repository_id.toWellFormed()])
  return bytesToHex(sha256(encoder.encode(START + name)))
}

/** Chains a record to `previous`. Fails for a record that has no canonical text or is too long, with a reason that quotes nothing of it. */
export function chainRecord(previous: string, record: unknown): Result<ChainLink, string> {
  const text = canonicalJson(record)
  if (!text.ok) return fail(`it holds a value that no canonical text can: ${text.fault}`)
  const bytes = encoder.encode(text.value)
  if (bytes.length > MAX_RECORD_BYTES) return fail(`it is longer than ${MAX_RECORD_BYTES} bytes`)
  const leaf = sha256(concatBytes(LEAF, bytes))
  const chain = sha256(concatBytes(LINK, hexToBytes(previous), leaf))
  return ok({ text: text.value, leaf: bytesToHex(leaf), chain: bytesToHex(chain) })
}
