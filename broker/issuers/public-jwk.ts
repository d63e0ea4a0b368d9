import { decodeBase64url } from "../core/base64url.ts"
import { bigEndian, CURVES } from "../core/curves.ts"

/** The form of a coordinate: 32 bytes in base64url. */
export const COORDINATE = /^[A-Za-z0-9_-]{43}$/

/**
 * Whether a text in the form `COORDINATE` is a coordinate of P-256 in its only spelling (RFC 7518 section 6.2.1.2). Decoders
 * ignore the two unused bits of the last character, and some reduce a number above the prime, so one key would have several
 * thumbprints.
 */
export function isFieldElement(text: string): boolean {
  const bytes = decodeBase64url(text)
  return bytes !== null && bigEndian(bytes) < CURVES["P-256"].p
}
