import { base64url } from "jose"

/**
 * Decodes base64url (RFC 4648 section 5) if it is written the one way it can be: no padding, no white space, no other
 * alphabet, no stray bits in the last character. Null otherwise.
 *
 * Lenient decoders make one signature out of many texts: four spellings of a token's last character verify alike, and
 * whoever remembers used tokens by their text takes them for four tokens.
 */
export function decodeBase64url(text: string): Uint8Array | null {
  return isBase64url(text) ? base64url.decode(text) : null
}

/** Whether `decodeBase64url` would decode it. The empty text is not base64url of anything we read. */
export function isBase64url(text: string): boolean {
  const ends = LAST_CHARACTERS[text.length % 4]
  return ends !== null && ALPHABET.test(text) && (ends === undefined || ends.includes(text.at(-1) ?? ""))
}

const ALPHABET = /^[A-Za-z0-9_-]+$/

/**
 * Which characters may end a text of this length modulo four: those whose unused bits, four or two, are zero. With one
 * character over there are too few bits for a byte.
 */
const LAST_CHARACTERS: Readonly<Record<number, string | null>> = { 1: null, 2: "AQgw", 3: "AEIMQUYcgkosw048" }
