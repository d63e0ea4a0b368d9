const MIN_LINE_CHARACTERS = 4
const MIN_ENCODED_BYTES = 8

/**
 * The texts to register with `::add-mask::`, so that a secret stays hidden in the job's log: whole, line by line, and
 * encoded.
 *
 * The runner masks each *line* of a registered text, even a line of one character. A PEM or JSON document registered
 * whole would hide every `}` in the log. So of a text with several lines, only the lines with at least four characters are
 * registered, and the whole text in its one-line JSON form. The runner itself adds some encodings (base64 of the secret
 * alone, JSON, URI, ...). This function adds the missing ones: hex, base64url, and base64 of a text that *contains* the
 * secret.
 */
export function masksFor(secret: string): readonly string[] {
  // `echo` adds a line break at the end. That does not make a text of several lines.
  const text = secret.replace(/^[\r\n]+|[\r\n]+$/g, "")
  const plain = /[\r\n]/.test(text) ? masksPerLine(text) : [text, text.trim()]
  const masks = [...plain, ...encodings(Buffer.from(text, "utf8"))]
  return [...new Set(masks.filter((mask) => mask.trim() !== ""))]
}

function masksPerLine(text: string): string[] {
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
