import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import type { Sha256 } from "../audit-chain.ts"
import { fail, ok, type Result } from "../result.ts"
import { decodeBase64, encodeBase64 } from "./base64.ts"
import { isKeyName, type NoteSignature } from "./note.ts"

/** What a key signs: the note's text, or the text with a witness's time (c2sp.org/tlog-cosignature). */
export type KeyType = "ed25519" | "cosignature"

/** A public key of Ed25519 with the name under which it signs notes. */
export interface VerifierKey {
  readonly name: string
  readonly keyId: string
  readonly type: KeyType
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

/**
 * Verifies a signature of Ed25519 (RFC 8032): false for a wrong one and for a key that is none. A parameter, because a browser
 * and workerd have it in WebCrypto, while Node before 22.13 warns of that one.
 */
export type VerifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>

const TYPE_BYTES: Readonly<Record<KeyType, number>> = { ed25519: 0x01, cosignature: 0x04 }
const TYPES = new Map<number | undefined, KeyType>([
  [0x01, "ed25519"],
  [0x04, "cosignature"],
])

/** A key's id: the first four bytes of SHA-256(name, line feed, type, key), in hex. */
export function keyIdOf(name: string, type: KeyType, publicKey: Uint8Array, sha256: Sha256): string {
  const bytes = concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(TYPE_BYTES[type]), publicKey)
  return bytesToHex(sha256(bytes).subarray(0, 4))
}

/** Parses a verifier key, `NAME+ID+BASE64`. The reason quotes nothing of it. */
export function parseVerifierKey(text: string, sha256: Sha256): Result<VerifierKey, string> {
  // The base64 may contain more of them.
  const [, name = "", keyId = "", base64 = ""] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/.exec(text) ?? []
  const bytes = decodeBase64(base64)
  if (!isKeyName(name) || bytes === null || bytes.length === 0) {
    return fail("is no verifier key: the form is NAME+ID+BASE64, as c2sp.org/signed-note has it")
  }
  const type = TYPES.get(bytes[0])
  const publicKey = bytes.slice(1)
  if (type === undefined) return fail("is a key of another kind than Ed25519: take a key of type 1 or 4")
  if (publicKey.length !== 32) return fail("is no key of Ed25519: it must have 32 bytes")
  if (keyIdOf(name, type, publicKey, sha256) !== keyId) return fail("has an id that does not fit its name and its key")
  return ok({ name, keyId, type, publicKey })
}

export const formatVerifierKey = ({ name, keyId, type, publicKey }: VerifierKey): string =>
  `${name}+${keyId}+${encodeBase64(concatBytes(Uint8Array.of(TYPE_BYTES[type]), publicKey))}`

/** A verified signature of a note. */
export interface VerifiedSignature {
  readonly key: VerifierKey
  /** Unix seconds: when a witness cosigned; null for another signature. */
  readonly time: number | null
}

/**
 * Verifies the signatures of a note's text by known keys; those by others are ignored. Fails when one of a known key is wrong:
 * then somebody changed the note. May be empty: the caller says whose signatures it needs.
 */
export async function verifySignatures(
  text: string,
  signatures: readonly NoteSignature[],
  keys: readonly VerifierKey[],
  verify: VerifyEd25519,
): Promise<Result<readonly VerifiedSignature[], string>> {
  const verified: VerifiedSignature[] = []
  for (const { name, keyId, signature } of signatures) {
    for (const key of keys.filter((one) => one.name === name && one.keyId === keyId)) {
      const signed = key.type === "ed25519" ? plain(text, signature) : cosigned(text, signature)
      if (signed === null || !(await verify(key.publicKey, signed.message, signed.signature))) {
        return fail(`the signature of ${name} is wrong: the note was changed, or it is not from the holder of that key`)
      }
      verified.push({ key, time: signed.time })
    }
  }
  return ok(verified)
}

interface Signed {
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly time: number | null
}

const plain = (text: string, signature: Uint8Array): Signed => ({ message: utf8ToBytes(text), signature, time: null })

/** The message of a cosignature. Its signature is 8 bytes of time, most significant first, and 64 bytes of Ed25519. */
function cosigned(text: string, stamped: Uint8Array): Signed | null {
  if (stamped.length !== 72) return null
  const time = new DataView(stamped.buffer, stamped.byteOffset).getBigUint64(0)
  // Beyond: no time that a clock could show.
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) return null
  return { message: cosignatureMessage(text, Number(time)), signature: stamped.subarray(8), time: Number(time) }
}

/** What a witness signs at `time`, in Unix seconds. */
export const cosignatureMessage = (text: string, time: number): Uint8Array =>
  utf8ToBytes(`cosignature/v1\ntime ${time}\n${text}`)
