import {
  constants,
  createPrivateKey,
  type KeyObject,
  type SigningOptions,
  sign,
  type VerifyKeyObjectInput,
  verify,
} from "node:crypto"
import {
  fittingAlgorithms,
  type KeyMaterial,
  MIN_MODULUS_BITS,
  type SignatureAlgorithm,
  signatureCharacters,
} from "../../core/public-key.ts"
import type { Secret } from "../../core/secret.ts"
import type { SigningKey, VerifyingKey } from "../../ports/cryptography.ts"
import { keyOrNull, publicKeyOf, withoutTraces } from "./keys.ts"

const SIGNING_HASH = "sha256"

interface Scheme {
  /** Null where the algorithm fixes it itself. */
  readonly hash: string | null
  /** Null where they are what Node takes for the type of key. */
  readonly options: SigningOptions | null
}

const pkcs1 = (hash: string): Scheme => ({ hash, options: null })
const pss = (hash: string, saltLength: number): Scheme => ({
  hash,
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
})
const ecdsa = (hash: string): Scheme => ({ hash, options: { dsaEncoding: "ieee-p1363" } })

/** RFC 7518 section 3, RFC 8037 section 3.1. */
const SCHEMES: Readonly<Record<SignatureAlgorithm, Scheme>> = {
  RS256: pkcs1("sha256"),
  RS384: pkcs1("sha384"),
  RS512: pkcs1("sha512"),
  PS256: pss("sha256", 32),
  PS384: pss("sha384", 48),
  PS512: pss("sha512", 64),
  ES256: ecdsa("sha256"),
  ES384: ecdsa("sha384"),
  ES512: ecdsa("sha512"),
  EdDSA: { hash: null, options: null },
}

/**
 * Verifies RSA on the spot, in 20 to 70 µs: to hand it to libuv's pool of threads costs the main thread as much. Curves take
 * 0.1 ms, and P-521 1.6 ms, so they are verified in the pool.
 */
export function createVerifyingKey(material: KeyMaterial, algorithm: SignatureAlgorithm): VerifyingKey | null {
  if (!fittingAlgorithms(material).includes(algorithm)) return null
  const key = publicKeyOf(material)
  if (key === null || !isLongEnough(key)) return null
  const { hash, options } = SCHEMES[algorithm]
  const characters = signatureCharacters(material)
  const by: KeyObject | VerifyKeyObjectInput = options === null ? key : { key, ...options }

  return {
    async verifies(token, alg) {
      const end = token.lastIndexOf(".")
      if (alg !== algorithm || token.length - end - 1 !== characters) return false
      const signature = Buffer.from(token.slice(end + 1), "base64url")
      const input = Buffer.from(token.slice(0, end), "latin1")
      if (material.kty === "RSA") return verify(hash, input, by, signature)
      return new Promise((resolve, reject) => {
        const settle = (error: Error | null, isGood: boolean) => (error ? reject(error) : resolve(isGood))
        withoutTraces(() => verify(hash, input, by, signature, settle))
      })
    },
  }
}

/** Signs in libuv's pool of threads: a signature with RSA takes 0.3 ms. */
export function createSigningKey(pkcs8: Secret<Uint8Array>): SigningKey | null {
  const key = keyOrNull(() => createPrivateKey({ key: Buffer.from(pkcs8.reveal()), format: "der", type: "pkcs8" }))
  if (key?.asymmetricKeyType !== "rsa" || !isLongEnough(key)) return null

  return {
    sign(claims, kid) {
      const input = `${encode({ alg: "RS256", kid, typ: "JWT" })}.${encode(claims)}`
      return new Promise((resolve, reject) => {
        sign(SIGNING_HASH, Buffer.from(input, "latin1"), key, (error, signature) => {
          if (error) reject(error)
          else resolve(`${input}.${signature.toString("base64url")}`)
        })
      })
    },
  }
}

const isLongEnough = ({ asymmetricKeyDetails }: KeyObject): boolean =>
  (asymmetricKeyDetails?.modulusLength ?? MIN_MODULUS_BITS) >= MIN_MODULUS_BITS

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")
