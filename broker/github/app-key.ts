import type { CryptoKey } from "jose"
import { fail, ok, type Result } from "../core/result.ts"
import type { Secret } from "../core/secret.ts"

/**
 * Imports the private key of a GitHub App: PEM, in PKCS#1 as downloaded from GitHub, or in PKCS#8. Line breaks may be
 * written as `\n`, as in files of environment variables.
 *
 * The imported key can sign with RS256 and cannot be exported. Only RSA keys of 2048 to 4096 bits are accepted. A refusal
 * says what is wrong with the text and how to correct it, and never shows any of the text.
 */
export async function importAppKey(pem: Secret<string>): Promise<Result<CryptoKey, string>> {
  const der = readPem(pem.reveal())
  if (!der.ok) return der
  const key = await importPkcs8(der.value)
  if (key === null) return fail(`is damaged, or is not an RSA key. ${REMEDY}`)
  const bits = "modulusLength" in key.algorithm ? key.algorithm.modulusLength : 0
  if (!(Number(bits) >= MIN_BITS && Number(bits) <= MAX_BITS)) {
    return fail(`has ${Number(bits)} bits, but must have ${MIN_BITS} to ${MAX_BITS}. ${REMEDY}`)
  }
  return ok(key)
}

const MIN_BITS = 2048
const MAX_BITS = 4096
/** A key of 4096 bits has about 3,300 characters. */
const MAX_PEM_CHARACTERS = 8192
const REMEDY = "Generate a private key in the GitHub App's settings, and give the whole .pem file."

const PEM = /^-----BEGIN ([A-Z0-9 ]{0,32})-----([\s\S]*)-----END \1-----$/

function readPem(text: string): Result<Uint8Array<ArrayBuffer>, string> {
  if (text.length > MAX_PEM_CHARACTERS) return fail(`is too long for one private key. ${REMEDY}`)
  const [, label = "", body = ""] = PEM.exec(text.replaceAll("\\r", "").replaceAll("\\n", "\n").trim()) ?? []
  if (label === "") return fail(`is not one private key in PEM. ${REMEDY}`)
  if (label === "ENCRYPTED PRIVATE KEY" || body.includes("ENCRYPTED")) {
    return fail("is encrypted with a passphrase. Remove the passphrase: openssl pkey -in KEY.pem")
  }
  if (label.endsWith("PUBLIC KEY")) return fail(`is only the public half. ${REMEDY}`)
  if (label !== "RSA PRIVATE KEY" && label !== "PRIVATE KEY") return fail(`is not an RSA private key. ${REMEDY}`)
  const der = decodeBase64(body)
  if (der === null) return fail(`is damaged: the text between its first and last line is not base64. ${REMEDY}`)
  return ok(label === "PRIVATE KEY" ? der : wrapPkcs1(der))
}

/** Null when the text is not base64. White space is ignored, because PEM bodies have line breaks. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const compact = text.replace(/\s+/g, "")
  if (compact === "" || compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return null
  return Uint8Array.from(atob(compact), (character) => character.charCodeAt(0))
}

/** `version 0` and the algorithm `rsaEncryption` with its NULL: the start of PKCS#8 (RFC 5208) before an RSA key. */
const PKCS8_HEAD = [
  0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
]
const SEQUENCE = 0x30
/** The size of a tag with its length, for content of 256 bytes to 64 KiB. Every accepted RSA key is in this range. */
const SEQUENCE_HEAD_BYTES = 4
const OCTET_STRING = 0x04

/** Wraps an RSAPrivateKey (RFC 8017 A.1.2) into a PrivateKeyInfo, the only form that WebCrypto imports. */
function wrapPkcs1(key: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(der(SEQUENCE, [...PKCS8_HEAD, 0x00, ...der(OCTET_STRING, key)]))
}

/** One DER value: the tag, the length in as few bytes as possible, and the content. */
function der(tag: number, content: ArrayLike<number>): number[] {
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return [tag, ...head, ...Array.from(content)]
}

/**
 * Null when the bytes are not such a key. The runtime's error is dropped, because it may quote the key. The head is checked
 * because workerd, unlike Node, accepts a bare RSAPrivateKey as PKCS#8.
 */
async function importPkcs8(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey | null> {
  if (!PKCS8_HEAD.every((byte, index) => bytes[SEQUENCE_HEAD_BYTES + index] === byte)) return null
  try {
    return await crypto.subtle.importKey("pkcs8", bytes, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, [
      "sign",
    ])
  } catch {
    return null
  }
}
