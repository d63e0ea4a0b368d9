import { MIN_CHARACTERS } from "./fingerprints.ts"

/** What a value can be part of. A token has no white space, no quotes and no brackets. */
const OUTSIDE = /[^\s"'`<>()[\]{},;|\\]+/g
const INSIDE = /[^A-Za-z0-9]/g
/** In a longer list of parts, those in the middle alone are not tried. A session token of AWS has about sixty. */
const MOST_PARTS = 96
/** Longer than any token, an access token with hundreds of groups included. */
const MAX_CHARACTERS = 16 * 1024
/** Of one piece, all its parts together: a log must not hold the search back. */
const MOST_TRIED_CHARACTERS = 8 * 1024 ** 2
const LONG_PART = new RegExp(`\\S{${MIN_CHARACTERS}}`)
/** A base64 text that is worth a look: shorter ones are no encoding of a token. */
const BASE64 = /[A-Za-z0-9+/_-]{32,}={0,2}/g
const HEX = /(?:[0-9a-fA-F]{2}){24,}/g
const PERCENT = /%[0-9A-Fa-f]{2}/
const ESCAPED = /\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[/"'])/
/** In an encoding, a text can be encoded again: a Docker login in a Kubernetes secret. */
const MOST_ENCODINGS = 3

/** A text of a log that could be a value. `form`: how it was written, in words; empty for as it is. */
export interface Candidate {
  readonly text: string
  readonly form: string
}

/** Each text, the line as a whole, and what its encodings contain. A text can come more than once. */
export function* textsIn(line: string, form = "", depth = 0): Generator<Candidate> {
  yield { text: line, form }
  if (depth >= MOST_ENCODINGS) return
  const within = (name: string) => (form === "" ? name : `${form}, ${name}`)
  for (const [found] of line.matchAll(BASE64)) {
    // What stands before it, such as a path, can be written in the same characters.
    for (let start = 0; start < 4; start++) {
      const text = readable(Buffer.from(found.slice(start), "base64"))
      if (text !== null) yield* textsIn(text, within("base64"), depth + 1)
    }
  }
  for (const [found] of line.matchAll(HEX)) {
    const text = readable(Buffer.from(found, "hex"))
    if (text !== null) yield* textsIn(text, within("hex"), depth + 1)
  }
  if (PERCENT.test(line)) yield* textsIn(unpercented(line), within("URL-encoded"), depth + 1)
  if (ESCAPED.test(line)) yield* textsIn(unescaped(line), within("escaped"), depth + 1)
}

/** What a value could be in a text: every part between two characters that are no letter and no digit. */
export function* valuesIn(text: string): Generator<string> {
  for (const [piece] of text.matchAll(OUTSIDE)) {
    if (piece.length < MIN_CHARACTERS) continue
    const starts = [0]
    const ends = [piece.length]
    for (const { index } of piece.matchAll(INSIDE)) {
      starts.push(index + 1)
      // Padding, and dots at the end, belong to some tokens.
      ends.push(index, index + 1)
    }
    yield* partsOf(
      piece,
      starts.slice(0, MOST_PARTS),
      ends
        .slice(1)
        .slice(-2 * MOST_PARTS)
        .reverse(),
    )
  }
}

/** The longest first: a token has characters in it that also end one. */
function* partsOf(piece: string, starts: readonly number[], ends: readonly number[]): Generator<string> {
  let left = MOST_TRIED_CHARACTERS
  for (const start of starts) {
    for (const end of [piece.length, ...ends]) {
      const length = end - start
      if (length < MIN_CHARACTERS || length > MAX_CHARACTERS) continue
      left -= length
      if (left < 0) return
      yield piece.slice(start, end)
    }
  }
}

/** The printable parts of bytes; null when none of them is long enough, as in what a word is decoded to by chance. */
function readable(bytes: Buffer): string | null {
  const text = bytes.toString("latin1").replace(/[^\x21-\x7e]+/g, " ")
  return LONG_PART.test(text) ? text : null
}

const unpercented = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

const unescaped = (text: string): string =>
  text.replace(
    /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([/"']))/g,
    (_, unit?: string, byte?: string, sign?: string) =>
      sign ?? String.fromCharCode(Number.parseInt(unit ?? byte ?? "", 16)),
  )
