import { createECDH, createHash, createPrivateKey, type ECDH, randomBytes, sign } from "node:crypto"
import { KEY_BINDING_SEPARATOR, type PublicJwk } from "../broker/wire/exchange.ts"
import { ActionError } from "./failure.ts"
import { parseJson } from "./json.ts"
import { openJwe } from "./jwe.ts"
import type { ProofKey } from "./proof/dpop.ts"

const COORDINATE_BYTES = 32

/** The key pair of one exchange; of all that share a subject token, where each call proves the key. The private key is never stored and is gone when the process ends. */
export interface JobKey extends ProofKey {
  /** RFC 7638. */
  readonly thumbprint: string
  /** Decrypts a JWE for this key and parses its JSON. @throws {ActionError} `answer_unusable` */
  open(jwe: string): unknown
}

/** Makes an ephemeral P-256 key. The subject token and the broker's answer are bound to it. */
export function makeJobKey(): JobKey {
  const key = createECDH("prime256v1")
  key.generateKeys()
  return jobKeyOf(key)
}

/** The job key of a P-256 key pair. */
export function jobKeyOf(key: ECDH): JobKey {
  // The format is 0x04 and both coordinates (SEC 1, section 2.3.3).
  const point = key.getPublicKey()
  const x = point.subarray(1, 33).toString("base64url")
  const y = point.subarray(33).toString("base64url")
  const publicJwk: PublicJwk = { kty: "EC", crv: "P-256", x, y }
  return {
    publicJwk,
    sign(text) {
      // Without its leading zero bytes, which a JWK must have (RFC 7518, section 6.2.2.1).
      const secret = key.getPrivateKey()
      const d = Buffer.concat([Buffer.alloc(COORDINATE_BYTES - secret.length), secret]).toString("base64url")
      const privateKey = createPrivateKey({ key: { ...publicJwk, d }, format: "jwk" })
      return sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")
    },
    thumbprint: thumbprintOf(x, y),
    open(jwe) {
      const plaintext = openJwe(jwe, key)
      if (plaintext === null)
        throw new ActionError("answer_unusable", "The broker's answer cannot be decrypted with this job's key.")
      return parseJson(plaintext)
    },
  }
}

/** The audience of a subject token that is usable only with the key of this thumbprint. */
export function boundAudience(audience: string, thumbprint: string): string {
  return `${audience}${KEY_BINDING_SEPARATOR}${thumbprint}`
}

/**
 * A random thumbprint, for which no key exists. A token bound to it can revoke, and can never be exchanged for credentials.
 * A broker cannot tell it from the thumbprint of a real key, and no key has to be made.
 */
export function thumbprintWithoutKey(): string {
  return randomBytes(32).toString("base64url")
}

/** RFC 7638, section 3: SHA-256 over the required members in the order of their names. */
function thumbprintOf(x: string, y: string): string {
  return createHash("sha256").update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).digest("base64url")
}
