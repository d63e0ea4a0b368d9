import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomBytes,
} from "node:crypto"
import { isCompactForm } from "../../core/base64url.ts"
import type { Secret } from "../../core/secret.ts"
import { textOfUtf8 } from "../../core/utf8.ts"
import type { RecipientKey, WrappingKey } from "../../ports/cryptography.ts"
import type { PublicJwk } from "../../wire/exchange.ts"
import { publicKeyOf } from "./keys.ts"

const CIPHER = "aes-256-gcm"
const CONTENT_ENCRYPTION = "A256GCM"
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16

/** Encrypts to a key on P-256 with a new key each time (RFC 7518, section 4.6). */
export function createRecipientKey({ kty, crv, x, y }: PublicJwk): RecipientKey | null {
  const publicKey = publicKeyOf({ kty, crv, x, y })
  if (publicKey === null) return null

  return {
    async encrypt(json) {
      // As a JWK: to export it as DER takes twice the time of making the key.
      const ephemeral = generateKeyPairSync("ec", { namedCurve: "P-256" })
      const epk = ephemeral.publicKey.export({ format: "jwk" })
      // On the spot: it takes 55 µs, and to hand it to libuv's pool of threads costs the main thread nearly as much.
      const key = contentKey(diffieHellman({ privateKey: ephemeral.privateKey, publicKey }))
      return compact({ alg: "ECDH-ES", enc: CONTENT_ENCRYPTION, cty: "json", epk }, "", key, json)
    },
  }
}

const uint32 = (value: number) => Buffer.of(0, 0, 0, value)
const ROUND = uint32(1)
/** Algorithm, no party information, length of the key in bits (RFC 7518, section 4.6.2). */
const OTHER_INFORMATION = Buffer.concat([
  uint32(CONTENT_ENCRYPTION.length),
  Buffer.from(CONTENT_ENCRYPTION),
  uint32(0),
  uint32(0),
  Buffer.of(0, 0, 1, 0),
])

/** The Concat KDF: one round of SHA-256. */
const contentKey = (secret: Buffer): KeyObject =>
  createSecretKey(hash("sha256", Buffer.concat([ROUND, secret, OTHER_INFORMATION]), "buffer"))

/** Wraps a new key for each value under one key (RFC 7518, section 4.7). */
export function createWrappingKey(secret: Secret<Uint8Array>): WrappingKey {
  const wrapping = createSecretKey(secret.reveal())

  return {
    async seal(text, { kid, place }) {
      const key = randomBytes(KEY_BYTES)
      const [iv, encryptedKey = "", tag] = encrypted(wrapping, key).map((part) => part.toString("base64url"))
      const header = { alg: "A256GCMKW", enc: CONTENT_ENCRYPTION, kid, place, iv, tag }
      return compact(header, encryptedKey, createSecretKey(key), text)
    },

    async open(sealed) {
      // Node's decoder skips what is not base64url, so that several texts would be one value.
      if (!isCompactForm(sealed, 5)) return null
      const [header = "", encryptedKey = "", iv = "", ciphertext = "", tag = ""] = sealed.split(".")
      const wrapped = wrappingOf(header)
      if (wrapped === null) return null
      const key = decrypted(wrapping, [wrapped.iv, encryptedKey, wrapped.tag])
      if (key?.length !== KEY_BYTES) return null
      const text = decrypted(createSecretKey(key), [iv, ciphertext, tag], header)
      return text === null ? null : textOfUtf8(text)
    },
  }
}

const HEADER_MEMBERS: ReadonlySet<string> = new Set(["alg", "enc", "kid", "place", "iv", "tag"])

/** How the key of a sealed value is wrapped; null for any other form. An unknown member could change what the text means. */
function wrappingOf(header: string): { readonly iv: string; readonly tag: string } | null {
  try {
    const members: Record<string, unknown> = JSON.parse(Buffer.from(header, "base64url").toString())
    const { alg, enc, iv, tag } = members
    if (!Object.keys(members).every((name) => HEADER_MEMBERS.has(name))) return null
    if (alg !== "A256GCMKW" || enc !== CONTENT_ENCRYPTION || typeof iv !== "string" || typeof tag !== "string")
      return null
    return { iv, tag }
  } catch {
    return null
  }
}

/** Initialisation vector, ciphertext and tag. */
type Sealed = readonly [Buffer, Buffer, Buffer]

/** A key as bytes would take three times as long as a key object: Node tries by errors what it is. */
function encrypted(key: KeyObject, plain: Buffer | string, header = ""): Sealed {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(header, "latin1"))
  const text = typeof plain === "string" ? cipher.update(plain, "utf8") : cipher.update(plain)
  // GCM keeps nothing back for the last call.
  cipher.final()
  return [iv, text, cipher.getAuthTag()]
}

/** Null when any part was changed. A shorter tag would be easier to guess, so only a whole one is read. */
function decrypted(key: KeyObject, sealed: readonly [string, string, string], header = ""): Buffer | null {
  const [iv, ciphertext, tag] = sealed.map((part) => Buffer.from(part, "base64url")) as unknown as Sealed
  if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) return null
  try {
    const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(header, "latin1")).setAuthTag(tag)
    return Buffer.concat([decipher.update(ciphertext), decipher.final()])
  } catch {
    return null
  }
}

function compact(header: object, encryptedKey: string, key: KeyObject, text: string): string {
  const encoded = Buffer.from(JSON.stringify(header)).toString("base64url")
  const sealed = encrypted(key, text, encoded).map((part) => part.toString("base64url"))
  return [encoded, encryptedKey, ...sealed].join(".")
}
