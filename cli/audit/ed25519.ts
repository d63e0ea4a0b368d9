import { createPublicKey, verify } from "node:crypto"
import type { VerifyEd25519 } from "../../broker/core/checkpoint/verifier-key.ts"

/** Node's own: WebCrypto's prints a warning before Node 22.13. */
export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  try {
    const x = Buffer.from(publicKey).toString("base64url")
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" })
    return verify(null, message, key, signature)
  } catch {
    return false
  }
}
