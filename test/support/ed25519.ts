import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import { webEd25519 } from "../../broker/adapters/web/ed25519.ts"
import { formatSignature } from "../../broker/core/checkpoint/note.ts"
import {
  cosignatureMessage,
  type KeyType,
  keyIdOf,
  type VerifierKey,
} from "../../broker/core/checkpoint/verifier-key.ts"
import { Secret } from "../../broker/core/secret.ts"

/** RFC 8410's form of a key before its 32 bytes. */
const PKCS8 = hexToBytes("302e020100300506032b657004220420")

export interface NoteSigner {
  readonly key: VerifierKey
  /** The signature line over a note's text; a witness signs at `time`, in Unix seconds. */
  sign(text: string, time?: number): Promise<string>
}

/** A key made from 32 times the same byte, so that a vector can name it. */
export async function signerOf(name: string, seed: number, type: KeyType = "ed25519"): Promise<NoteSigner> {
  const pkcs8 = new Secret(concatBytes(PKCS8, new Uint8Array(32).fill(seed)))
  const { publicKey, sign } = await webEd25519.signer(pkcs8)
  const key = { name, keyId: keyIdOf(name, type, publicKey, sha256), type, publicKey }
  return {
    key,
    async sign(text, time = 1_800_000_000) {
      if (type === "ed25519") return formatSignature({ ...key, signature: await sign(utf8ToBytes(text)) })
      const stamp = new Uint8Array(8)
      new DataView(stamp.buffer).setBigUint64(0, BigInt(time))
      return formatSignature({ ...key, signature: concatBytes(stamp, await sign(cosignatureMessage(text, time))) })
    },
  }
}
