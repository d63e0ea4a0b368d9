import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import {
  base64url,
  CompactEncrypt,
  CompactSign,
  type CryptoKey,
  compactDecrypt,
  compactVerify,
  errors,
  importJWK,
  type JWK,
} from "jose"
import { isCompactForm } from "../../core/base64url.ts"
import { MIN_MODULUS_BITS, signatureCharacters } from "../../core/public-key.ts"
import type { Secret } from "../../core/secret.ts"
import { textOfUtf8 } from "../../core/utf8.ts"
import type { Cryptography, WrappingKey } from "../../ports/cryptography.ts"

const encoder = new TextEncoder()

/** jose over WebCrypto, which every runtime has. */
export const webCryptography: Cryptography = {
  // WebCrypto would take a detour through another thread, which takes longer than the hash of a short text.
  digest: (text) => base64url.encode(sha256(utf8ToBytes(text))),

  async verifyingKey(material, algorithm) {
    const key = await imported({ ...material }, algorithm)
    if (key === null || !isLongEnough(key)) return null
    const characters = signatureCharacters(material)
    return {
      async verifies(token, alg) {
        if (alg !== algorithm || token.length - token.lastIndexOf(".") - 1 !== characters) return false
        try {
          await compactVerify(token, key, { algorithms: [algorithm] })
          return true
        } catch (error) {
          if (error instanceof errors.JOSEError) return false
          throw error
        }
      },
    }
  },

  async signingKey(pkcs8) {
    const key = await importedRsa(pkcs8)
    if (key === null || !isLongEnough(key)) return null
    return {
      // SignJWT is not used: it makes a deep copy of the claims, which are already complete.
      sign: (claims, kid) =>
        new CompactSign(encoder.encode(JSON.stringify(claims)))
          .setProtectedHeader({ alg: "RS256", kid, typ: "JWT" })
          .sign(key),
    }
  },

  async recipientKey({ kty, crv, x, y }) {
    const key = await imported({ kty, crv, x, y }, "ECDH-ES")
    if (key === null) return null
    return {
      encrypt: (json) =>
        new CompactEncrypt(encoder.encode(json))
          .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM", cty: "json" })
          .encrypt(key),
    }
  },

  wrappingKey: (secret): WrappingKey => ({
    seal: (text, { kid, place }) =>
      new CompactEncrypt(encoder.encode(text))
        .setProtectedHeader({ alg: "A256GCMKW", enc: "A256GCM", kid, place })
        .encrypt(secret.reveal()),

    async open(sealed) {
      // jose's decoder is lenient, so that several texts would be one value.
      if (!isCompactForm(sealed, 5)) return null
      try {
        const { plaintext } = await compactDecrypt(sealed, secret.reveal(), {
          keyManagementAlgorithms: ["A256GCMKW"],
          contentEncryptionAlgorithms: ["A256GCM"],
        })
        return textOfUtf8(plaintext)
      } catch {
        return null
      }
    },
  }),
}

/** Null for what is no such key. The library's error is dropped, because it may quote the key. */
async function imported(jwk: JWK, algorithm: string): Promise<CryptoKey | null> {
  const key = await importJWK(jwk, algorithm).catch(() => null)
  return key instanceof Uint8Array ? null : key
}

async function importedRsa(pkcs8: Secret<Uint8Array>): Promise<CryptoKey | null> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
  return await crypto.subtle
    .importKey("pkcs8", Uint8Array.from(pkcs8.reveal()), algorithm, false, ["sign"])
    .catch(() => null)
}

const isLongEnough = ({ algorithm }: CryptoKey): boolean =>
  !("modulusLength" in algorithm) || Number(algorithm.modulusLength) >= MIN_MODULUS_BITS
