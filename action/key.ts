import { createECDH, createHash, randomBytes } from "node:crypto"
import { KEY_BINDING_SEPARATOR, type PublicJwk } from "../broker/wire/exchange.ts"
import { ActionError } from "./failure.ts"
import { parseJson } from "./json.ts"
import { openJwe } from "./jwe.ts"

/** The key of one exchange. Its private half is never written down and dies with the process. */
export interface JobKey {
  readonly publicJwk: PublicJwk
  /** RFC 7638. */
  readonly thumbprint: string
  /** Opens what was sealed to this key and reads it as JSON. @throws {ActionError} `answer_unusable` */
  open(jwe: string): unknown
}

/** Makes an ephemeral P-256 key, to which the subject token and the broker's answer are bound. */
export function makeJobKey(): JobKey {
  const key = createECDH("prime256v1")
  // 0x04, then both coordinates (SEC 1, section 2.3.3).
  const point = key.generateKeys()
  const x = point.subarray(1, 33).toString("base64url")
  const y = point.subarray(33).toString("base64url")
  return {
    publicJwk: { kty: "EC", crv: "P-256", x, y },
    thumbprint: thumbprintOf(x, y),
    open(jwe) {
      const plaintext = openJwe(jwe, key)
      if (plaintext === null)
        throw new ActionError("answer_unusable", "The broker's answer does not open with this job's key.")
      return parseJson(plaintext)
    },
  }
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

/** RFC 7638, section 3: SHA-256 over the required members in the order of their names. */
function thumbprintOf(x: string, y: string): string {
  return createHash("sha256").update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).digest("base64url")
}
