import { randomBytes, webcrypto } from "node:crypto"
import { compactDecrypt } from "jose/jwe/compact/decrypt"
import { calculateJwkThumbprint } from "jose/jwk/thumbprint"
import { KEY_BINDING_SEPARATOR, type PublicJwk } from "../broker/wire/exchange.ts"
import { ActionError } from "./failure.ts"
import { parseJson } from "./json.ts"

/** The key of one exchange. Its private half cannot be exported, is never written down and dies with the process. */
export interface JobKey {
  readonly publicJwk: PublicJwk
  /** RFC 7638. */
  readonly thumbprint: string
  /** Opens what was sealed to this key and reads it as JSON. */
  open(jwe: string): Promise<unknown>
}

/** Makes an ephemeral P-256 key, to which the subject token and the broker's answer are bound. */
export async function makeJobKey(): Promise<JobKey> {
  const algorithm = { name: "ECDH", namedCurve: "P-256" }
  const pair = await webcrypto.subtle.generateKey(algorithm, false, ["deriveBits"])
  const { x = "", y = "" } = await webcrypto.subtle.exportKey("jwk", pair.publicKey)
  const publicJwk: PublicJwk = { kty: "EC", crv: "P-256", x, y }
  return { publicJwk, thumbprint: await calculateJwkThumbprint(publicJwk), open: (jwe) => open(jwe, pair.privateKey) }
}

/** The audience of a subject token that is worth something only together with the key of this thumbprint. */
export function boundAudience(audience: string, thumbprint: string): string {
  return `${audience}${KEY_BINDING_SEPARATOR}${thumbprint}`
}

/**
 * A thumbprint of no key that anybody has: a token bound to it revokes, and can never be exchanged for credentials.
 * It is random, which cannot be told from the thumbprint of a key whose private half was dropped, and costs no key.
 */
export function thumbprintOfNoKey(): string {
  return randomBytes(32).toString("base64url")
}

async function open(jwe: string, privateKey: webcrypto.CryptoKey): Promise<unknown> {
  try {
    const { plaintext } = await compactDecrypt(jwe, privateKey, {
      keyManagementAlgorithms: ["ECDH-ES"],
      contentEncryptionAlgorithms: ["A256GCM"],
      maxDecompressedLength: 0,
    })
    return parseJson(plaintext)
  } catch {
    // Nothing of what jose says is shown: it may quote the answer.
    throw new ActionError("answer_unusable", "The broker's answer does not open with this job's key.")
  }
}
