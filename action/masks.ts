const MIN_LINE_CHARACTERS = 4
const MIN_ENCODED_BYTES = 8

/**
 * Everything to register with `::add-mask::` so that a secret stays hidden in the job's log, whole, in parts by line,
 * and encoded.
 *
 * The runner masks each *line* of what is registered, however short, so registering a PEM or JSON document whole makes
 * it blank out every `}` of the log: of several lines only those with at least four characters are registered, and the
 * whole in its one-line JSON form. The runner adds encodings of its own (base64 when nothing follows, JSON, URI, ...);
 * added here are those it leaves out: hex, base64url, and base64 of any text that *contains* the secret.
 */
export function masksFor(secret: string): readonly string[] {
  // A line break at the end is what `echo` adds: it makes no second line.
  const text = secret.replace(/^[\r\n]+|[\r\n]+$/g, "")
  const plain = /[\r\n]/.test(text) ? ofSeveralLines(text) : [text, text.trim()]
  const masks = [...plain, ...encodings(Buffer.from(text, "utf8"))]
  return [...new Set(masks.filter((mask) => mask.trim() !== ""))]
}

function ofSeveralLines(text: string): string[] {
  const wholeOnOneLine = [JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed())]
  const lines = text.split(/[\r\n]+/).map((line) => line.trim())
  return [...lines, ...wholeOnOneLine].filter((mask) => mask.length >= MIN_LINE_CHARACTERS)
}

function encodings(bytes: Buffer): string[] {
  if (bytes.length < MIN_ENCODED_BYTES) return []
  const hex = bytes.toString("hex")
  return [...[0, 1, 2].flatMap((offset) => base64Cores(bytes, offset)), hex, hex.toUpperCase()]
}

/**
 * The characters that base64 and base64url have for `bytes` wherever they stand in a longer text, when `offset` bytes
 * of a group of three come before: the first and last character can depend on neighbours and are left out.
 */
function base64Cores(bytes: Buffer, offset: number): string[] {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes])
  const first = Math.ceil((offset * 8) / 6)
  const end = Math.floor((padded.length * 8) / 6)
  const base64 = padded.toString("base64").slice(first, end)
  return [base64, base64.replaceAll("+", "-").replaceAll("/", "_")]
}
