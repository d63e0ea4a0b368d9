import * as base64url from "jose/base64url"

/**
 * Decodes base64url (RFC 4648 section 5) in its only canonical form: no padding, no white space, no other alphabet, and no
 * stray bits in the last character. Null otherwise.
 *
 * Lenient decoders read several texts as the same signature: a token stays valid with up to four different last characters,
 * and a replay check that compares texts would count them as four tokens.
 */
export function decodeBase64url(text: string): Uint8Array | null {
  return isBase64url(text) ? base64url.decode(text) : null
}

/** Whether `decodeBase64url` can decode the text. The empty text counts as invalid, because no part of a token is empty. */
export function isBase64url(text: string): boolean {
  const ends = LAST_CHARACTERS[text.length % 4]
  return ends !== null && ALPHABET.test(text) && (ends === undefined || ends.includes(text.at(-1) ?? ""))
}

/**
 * Whether a text is a number of parts with dots between them, each in this form or empty: the compact forms of RFC 7515 and
 * RFC 7516.
 */
export function isCompactForm(text: string, count: number): boolean {
  const parts = text.split(".", count + 1)
  return parts.length === count && parts.every((part) => part === "" || isBase64url(part))
}

const ALPHABET = /^[A-Za-z0-9_-]+$/

/**
 * The allowed last characters, by the text's length modulo four: those whose unused bits (four or two) are zero. A length
 * of 1 modulo four is impossible, because one character has too few bits for a byte.
 */
const LAST_CHARACTERS: Readonly<Record<number, string | null>> = { 1: null, 2: "AQgw", 3: "AEIMQUYcgkosw048" }
