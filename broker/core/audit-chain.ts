import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js"
import { canonicalJson } from "./canonical-json.ts"
import { fail, ok, type Result } from "./result.ts"

/**
 * Names the ledger that owns a chain. It is hashed into the chain's start, so that a chain cannot be presented as the one of
 * another unit.
 */
export interface LedgerName {
  readonly issuer: string
  readonly unit_id: string
}

/** The end of a chain: number and hash of its last record. For an empty chain: 0 and the hash of its start. */
export interface ChainHead {
  readonly seq: number
  readonly chain: string
}

/** The hashes of a record: SHA-256 in lower-case hex. */
export interface ChainHashes {
  readonly leaf: string
  readonly chain: string
}

/** A record's canonical text with its hashes. */
export interface ChainLink extends ChainHashes {
  readonly text: string
}

/**
 * The maximum size of a record's canonical text. The chain refuses longer records, so that a verifier's memory is bounded.
 */
export const MAX_RECORD_BYTES = 256 * 1024

// Each hash input starts with a byte for its kind. Without it, an attacker could make a record that hashes like a link (RFC
// 9162 section 2.1.1 does the same).
const LEAF = Uint8Array.of(0x00)
const LINK = Uint8Array.of(0x01)
// The version is the chain's, and not the one of its records: chains that began with records of version 1 go on.
const START = "daypass audit chain, version 1\n"

const encoder = new TextEncoder()

/**
 * SHA-256, synchronous on purpose. WebCrypto's hashes must be awaited, but nothing may be awaited between reading a chain's
 * head and writing its next record. Each runtime has its fastest one.
 */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** The hash that a ledger's first record is chained to: SHA-256 over the format's name and the ledger's name. */
export function chainStart(ledger: LedgerName, sha256: Sha256): string {
  const name = JSON.stringify([ledger.issuer.toWellFormed(), ledger.unit_id.toWellFormed()])
  return bytesToHex(sha256(encoder.encode(START + name)))
}

/**
 * Chains a record to the hash `previous`. Fails for a record that has no canonical text or is too long; the reason quotes
 * nothing of the record.
 */
export function chainRecord(previous: string, record: unknown, sha256: Sha256): Result<ChainLink, string> {
  const text = canonicalJson(record)
  if (!text.ok) return fail(`it contains a value that has no canonical text: ${text.fault}`)
  const bytes = encoder.encode(text.value)
  if (bytes.length > MAX_RECORD_BYTES) return fail(TOO_LONG)
  return ok({ text: text.value, ...linked(previous, bytes, sha256) })
}

/** The same hashes for the bytes of a canonical text, which must be one: what is hashed here was read and compared before. */
export function chainText(previous: string, bytes: Uint8Array, sha256: Sha256): Result<ChainHashes, string> {
  return bytes.length > MAX_RECORD_BYTES ? fail(TOO_LONG) : ok(linked(previous, bytes, sha256))
}

const TOO_LONG = `it is longer than ${MAX_RECORD_BYTES} bytes`

function linked(previous: string, bytes: Uint8Array, sha256: Sha256): ChainHashes {
  // By hand: a thousand bytes take noble's `concatBytes` longer than their hash.
  const input = new Uint8Array(LEAF.length + bytes.length)
  input.set(LEAF)
  input.set(bytes, LEAF.length)
  const leaf = sha256(input)
  const chain = sha256(concatBytes(LINK, hexToBytes(previous), leaf))
  return { leaf: bytesToHex(leaf), chain: bytesToHex(chain) }
}
