/** The encrypted form of a value. */
export interface SealedValue {
  readonly type: string
  readonly iv: Uint8Array<ArrayBuffer>
  /** The ciphertext followed by its tag, as WebCrypto needs it. */
  readonly data: Uint8Array<ArrayBuffer>
}

const FORM =
  /^ENC\[AES256_GCM,data:([A-Za-z0-9+/]+={0,2}),iv:([A-Za-z0-9+/]+={0,2}),tag:([A-Za-z0-9+/]+={0,2}),type:(str|int|float|bool|bytes|time|comment)\]$/

const IV_BYTES = 32
const TAG_BYTES = 16

/** Whether a text claims to be an encrypted value, well formed or not. */
export const isSealed = (text: unknown): text is string =>
  typeof text === "string" && text.startsWith("ENC[AES256_GCM,")

/** Reads an encrypted value in exactly the form that SOPS writes; null for any other. */
export function readSealed(text: string): SealedValue | null {
  const [, data = "", iv = "", tag = "", type = ""] = FORM.exec(text) ?? []
  const parts = [data, iv, tag].map(decoded)
  const [dataBytes, ivBytes, tagBytes] = parts
  if (!dataBytes || ivBytes?.length !== IV_BYTES || tagBytes?.length !== TAG_BYTES) return null
  const sealed = new Uint8Array(dataBytes.length + TAG_BYTES)
  sealed.set(dataBytes)
  sealed.set(tagBytes, dataBytes.length)
  return { type, iv: ivBytes, data: sealed }
}

/** Base64 in its only canonical spelling: with stray bits in the last character, several texts would be the same value. */
function decoded(text: string): Uint8Array<ArrayBuffer> | null {
  if (text === "" || text.length % 4 !== 0) return null
  const binary = atob(text)
  return btoa(binary) === text ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : null
}
