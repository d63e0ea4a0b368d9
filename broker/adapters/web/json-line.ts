/**
 * A value as JSON on one line of a log, in which every character is visible ASCII or an ordinary letter. Every JSON parser
 * reads the same value from it.
 *
 * `JSON.stringify` leaves U+2028, U+2029, U+0085 and all characters above U+007F as they are. Some readers of logs take the
 * first three for the end of a line, so that a branch's name could add a forged entry. Bidirectional controls and zero-width
 * characters make a terminal show another text than the one that was logged (CVE-2021-42574).
 */
export const jsonLine = (value: unknown): string => JSON.stringify(value).replace(UNSEEN, escapeUnits)

/** Control, format, line and paragraph separator, lone surrogate, and what Unicode says to draw as nothing. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]/gu

/** JSON writes a character above U+FFFF as two escapes, one for each UTF-16 unit (RFC 8259 section 7). */
const escapeUnits = (character: string): string =>
  [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
    .join("")
