import type { CryptoKey } from "jose"
import { Secret } from "../../core/secret.ts"
import type { Leaf, SopsDocument } from "./document.ts"
import { readSealed, type SealedValue } from "./sealed-value.ts"

/** A decrypted value of a file with a correct MAC. */
export interface OpenedValue {
  readonly leaf: Leaf
  /** The bytes for the job; null for the value null. */
  readonly value: Secret<Uint8Array> | null
}

type Opened =
  | { readonly outcome: "opened"; readonly values: readonly OpenedValue[] }
  /** A value cannot be decrypted at its place. */
  | { readonly outcome: "value-damaged" }
  /** The values have changed since the MAC was made. */
  | { readonly outcome: "mac-wrong" }

/**
 * The start of the hash when the MAC covers only encrypted values: SHA-256 of `sops`. So such a file can never pass as one
 * whose MAC covers everything (SOPS, `MACOnlyEncryptedInitialization`).
 */
const MAC_OF_ENCRYPTED_ONLY = "8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69"

/**
 * Decrypts every value of a file, and verifies the MAC over all of them before any value is returned.
 *
 * A ciphertext is bound only to the keys above it. It does not protect the order of values, their neighbours or their
 * absence. The MAC does: SHA-512 over all values in the file's order, encrypted, and bound to the time of the last change.
 */
export async function openDocument(
  { leaves, metadata }: SopsDocument,
  dataKey: Uint8Array<ArrayBuffer>,
): Promise<Opened> {
  const key = await crypto.subtle.importKey("raw", dataKey, "AES-GCM", false, ["decrypt"])
  const open = (sealed: SealedValue, boundTo: string) => decrypt(sealed, boundTo, key)
  const opened = await Promise.all(
    leaves.map(async (leaf) => {
      const { sealed, keys, plain, source } = leaf
      if (sealed === null) return { leaf, hashed: encode(textInMac(plain, source)), bytes: textForJob(plain, source) }
      const bytes = await open(sealed, `${keys.join(":")}:`)
      return bytes === null || !fitsType(bytes, sealed.type)
        ? null
        : { leaf, hashed: bytes, bytes: typed(bytes, sealed.type) }
    }),
  )
  const values = opened.filter((value) => value !== null)
  if (values.length < opened.length) return { outcome: "value-damaged" }

  const { mac, macOnlyEncrypted, lastModified } = metadata
  const covered = values.filter(({ leaf }) => leaf.sealed !== null || !macOnlyEncrypted).map(({ hashed }) => hashed)
  const sealedMac = readSealed(mac)
  const stated = sealedMac === null ? null : await open(sealedMac, lastModified)
  const found = await sha512(macOnlyEncrypted ? [fromHex(MAC_OF_ENCRYPTED_ONLY), ...covered] : covered)
  if (stated === null || new TextDecoder().decode(stated) !== found) return { outcome: "mac-wrong" }
  return {
    outcome: "opened",
    values: values.map(({ leaf, bytes }) => ({ leaf, value: bytes === null ? null : new Secret(bytes) })),
  }
}

async function decrypt(sealed: SealedValue, boundTo: string, key: CryptoKey): Promise<Uint8Array | null> {
  const algorithm = { name: "AES-GCM", iv: sealed.iv, additionalData: encode(boundTo) }
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed.data))
  } catch {
    return null
  }
}

/** The plain form of each type except texts. The type in the file is not protected, so the value must fit it. */
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ["int", /^-?\d+$/],
  ["float", /^(?:-?\d+(?:\.\d+)?|[+-]Inf|NaN)$/],
  ["bool", /^(?:True|False)$/],
  ["time", /^\d{4}-\d\d-\d\dT[0-9:.Z+-]+$/],
])

function fitsType(bytes: Uint8Array, type: string): boolean {
  return FORMS.get(type)?.test(new TextDecoder().decode(bytes)) ?? true
}

/** Booleans become `true` and `false` for the job, as in JSON and YAML. */
function typed(bytes: Uint8Array, type: string): Uint8Array {
  return type === "bool" ? encode(new TextDecoder().decode(bytes).toLowerCase()) : bytes
}

function textForJob(plain: Leaf["plain"], source: string): Uint8Array | null {
  if (plain === null) return null
  return encode(typeof plain === "number" ? numberText(plain, source) : String(plain))
}

/**
 * The form of an unencrypted value in the MAC: booleans begin with a capital, numbers have no exponent, null is left out.
 */
function textInMac(plain: Leaf["plain"], source: string): string {
  if (plain === null) return ""
  if (typeof plain === "boolean") return plain ? "True" : "False"
  return typeof plain === "number" ? numberText(plain, source) : plain
}

/**
 * A whole number keeps its digits, because it may have more than a double. Another number is written as Go's shortest `%f`.
 */
function numberText(number: number, source: string): string {
  // The number -0 of a JSON file is a float of Go's, which has its sign.
  if (Object.is(number, -0)) return "-0"
  if (/^[+-]?\d+$/.test(source)) return BigInt(source.replace(/^\+/, "")).toString()
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf"
  const [, sign = "", first = "", rest = "", exponent = ""] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(number.toExponential()) ?? []
  const digits = first + rest
  const point = Number(exponent) + 1
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits.padEnd(point, "0")
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

async function sha512(parts: readonly Uint8Array[]): Promise<string> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", whole))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase()
}

const encode = (text: string) => new TextEncoder().encode(text)
const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
