const MIN_CHARACTERS = 4
const MIN_DIGITS = 8
const MIN_LEAF_CHARACTERS = 6
/** Each encoded leaf adds about 30 patterns that the runner looks for in every line. Further leaves are masked as they are. */
const MAX_ENCODED_LEAVES = 64

const NUMBER = /^[-+]?[0-9]*[.,]?[0-9]*(?:e[-+]?[0-9]+)?$/i
/**
 * Asked after `HAS_WORD`, which answers for almost every secret. Not an expression yet: V8 checks each literal when it reads a
 * file, and for this one it loads Unicode's tables, which takes a millisecond of every start.
 */
const PUNCTUATION = String.raw`^[\p{P}\p{Sm}\p{Sc}\p{Sk}\s]+$`
const HAS_WORD = /[A-Za-z0-9]/
/** Shorter ones, such as `yes` and `off`, have too few characters anyway. */
const TRUTH_VALUES: ReadonlySet<string> = new Set(["true", "false", "null", "none", "undefined", "enabled", "disabled"])

/**
 * The texts to register with `::add-mask::`, so that a secret stays hidden in the job's log: whole, line by line, the leaves
 * of a JSON document, and encoded.
 *
 * The runner masks every registered text and every *line* of it, even one of a single character: the secret `3` turns
 * `2031` into `20***1`. So what is too common to be hidden is not registered (`isTooCommon`). The runner itself adds
 * encodings of each registered text: JSON, URI, XML, and base64 of a text that ends with it. This function adds what the
 * runner lacks: hex, base64url, base64 of a text that goes on after the secret, and the spellings of shells, Go and
 * JavaScript.
 */
export function masksFor(secret: string): readonly string[] {
  const leaves = [...new Set(leavesOf(secret))]
  const ofLeaves = leaves.flatMap((leaf, index) => (index < MAX_ENCODED_LEAVES ? masksOfText(leaf) : linesOf(leaf)))
  return [...new Set([...masksOfText(secret), ...ofLeaves])]
}

/**
 * True when masks would damage the log and protect nothing: fewer than four characters, a number of fewer than eight
 * digits, a truth value, or punctuation only; and lines that are all like that. A blank text has nothing to hide.
 */
export function isTooCommon(secret: string): boolean {
  return secret.trim() !== "" && linesOf(secret).length === 0
}

function masksOfText(secret: string): string[] {
  // Without blanks around it: `echo` adds a line break, and a mask of the text itself hides a longer one, too.
  const text = secret.trim()
  const lines = linesOf(text)
  if (lines.length === 0) return []
  const onOneLine = /[\r\n]/.test(text) ? [jsonOf(text), uriOf(text)] : []
  return [...lines, ...onOneLine, ...lines.flatMap(spellings), ...encodings(Buffer.from(text, "utf8"))]
}

function linesOf(text: string): string[] {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(isMaskable)
}

function isMaskable(text: string): boolean {
  if (text.length < MIN_CHARACTERS || TRUTH_VALUES.has(text.toLowerCase())) return false
  if (!HAS_WORD.test(text) && new RegExp(PUNCTUATION, "u").test(text)) return false
  return !NUMBER.test(text) || text.replace(/e.*$|[^0-9]/gi, "").length >= MIN_DIGITS
}

/** The strings and numbers of a JSON document, as they are written, without the names of members. */
function leavesOf(text: string): string[] {
  if (!/^\s*[[{"]/.test(text) || !isJson(text)) return []
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|-?[0-9][0-9.eE+-]*/g)]
    .filter((token) => token[1] === undefined)
    .map(([token]) => (token.startsWith('"') ? (JSON.parse(token) as string) : token))
    .flatMap((leaf) => [leaf, ...leavesOf(leaf)])
    .filter((leaf) => leaf.trim().length >= MIN_LEAF_CHARACTERS)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The forms of one line that the runner does not derive, each only where it differs from the line. */
function spellings(line: string): string[] {
  return [
    // POSIX shells in a trace (`set -x`), dash and Python's shlex, `export -p`, and bash's `printf %q`.
    line.replaceAll("'", "'\\''"),
    line.replaceAll("'", `'"'"'`),
    line.replace(/["$`\\]/g, "\\$&"),
    line.replace(/[ !"$&'()*,;<>?[\\\]^`{|}]|^[#~]|(?<=[:=])~/g, "\\$&"),
    // Go's encoding/json, which most tools of this field are written with, and encoders that write ASCII only.
    json(line, /[<>&]/g),
    json(line, /[^\0-\x7f]/g),
    // JavaScript leaves !'()* as they are, and forms write a space as a plus. The runner escapes all of them.
    ...(/[!'()*]/.test(line) ? [uriOf(line)] : []),
    ...(line.includes(" ") ? [uriOf(line).replaceAll("%20", "+")] : []),
  ]
}

function json(line: string, escaped: RegExp): string {
  return line.search(escaped) !== -1 ? jsonOf(line).replace(escaped, unicodeEscape) : line
}

const unicodeEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

const jsonOf = (text: string) => JSON.stringify(text).slice(1, -1)

const uriOf = (text: string) => encodeURIComponent(text.toWellFormed())

/** In JSON, in a URI and in XML: the runner hides these forms of a mask without being told (its ValueEncoders.cs). */
export function runnersForms(text: string): string[] {
  const xml = /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => XML[character] ?? character) : text
  return [jsonOf(text), uriOf(text), xml]
}

const XML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" }

/** Hex, base64 and base64url. */
export function encodings(bytes: Buffer): string[] {
  const hex = bytes.toString("hex")
  return [...[0, 1, 2].flatMap((offset) => base64Cores(bytes, offset)), hex, hex.toUpperCase()]
}

/**
 * The base64 and base64url characters of `bytes` inside a longer text, where `offset` bytes of a group of three come
 * before. The first and last characters can depend on neighbouring bytes and are left out.
 */
function base64Cores(bytes: Buffer, offset: number): string[] {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes])
  const first = Math.ceil((offset * 8) / 6)
  const end = Math.floor((padded.length * 8) / 6)
  const base64 = padded.toString("base64").slice(first, end)
  return [base64, base64.replaceAll("+", "-").replaceAll("/", "_")]
}
