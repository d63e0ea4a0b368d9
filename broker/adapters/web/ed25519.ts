import { decodeBase64url } from "../../core/base64url.ts"
import { Secret } from "../../core/secret.ts"
import type { Ed25519 } from "../../ports/ed25519.ts"

const NAME = "Ed25519"

/** WebCrypto's, which Node from 22.13, workerd and browsers have. */
export const webEd25519: Ed25519 = {
  async generate() {
    const pair = await crypto.subtle.generateKey(NAME, true, ["sign", "verify"])
    if (!("privateKey" in pair)) throw new TypeError("WebCrypto made no pair of keys")
    const pkcs8 = await crypto.subtle.exportKey("pkcs8", pair.privateKey)
    return new Secret(new Uint8Array(pkcs8 as ArrayBuffer))
  },

  async signer(pkcs8) {
    // Extractable: WebCrypto tells the public half in no other way.
    const key = await crypto.subtle
      .importKey("pkcs8", Uint8Array.from(pkcs8.reveal()), NAME, true, ["sign"])
      .catch(() => null)
    const jwk: object = key === null ? {} : await crypto.subtle.exportKey("jwk", key)
    const publicKey = "x" in jwk ? decodeBase64url(String(jwk.x)) : null
    if (key === null || publicKey?.length !== 32) throw new TypeError("the key of the log is no key of Ed25519")
    return {
      publicKey,
      sign: async (message) => new Uint8Array(await crypto.subtle.sign(NAME, key, Uint8Array.from(message))),
    }
  },

  async verify(publicKey, message, signature) {
    try {
      const key = await crypto.subtle.importKey("raw", Uint8Array.from(publicKey), NAME, false, ["verify"])
      return await crypto.subtle.verify(NAME, key, Uint8Array.from(signature), Uint8Array.from(message))
    } catch {
      return false
    }
  },
}
