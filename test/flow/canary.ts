/** Everything that a text may be written as on its way into a log, an answer or a URL. Short texts would be found by chance. */
export function formsOf(secret: string): readonly string[] {
  if (secret.length < 16) throw new Error("too short to look for")
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].map((offset) => insideBase64(bytes, offset))
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ]
  return [...new Set(forms)]
}

/** A private key as whoever leaks it may write it: whole, its body on one line, and each of its lines. */
export function formsOfPem(pem: string): readonly string[] {
  const lines = pem.split("\n").filter((line) => line.length >= 16 && !line.startsWith("-----"))
  const der = Buffer.from(lines.join(""), "base64")
  return [pem.trim(), lines.join(""), ...lines].flatMap(formsOf).concat(der.toString("hex"), der.toString("base64url"))
}

/** How much of a needle's start they are sorted by. */
const START_LENGTH = 8

/**
 * The names of the places in which one of the needles stands. Reads each place once: a suite has thousands of needles, and
 * megabytes of places.
 */
export function placesWith(needles: readonly string[], places: Readonly<Record<string, string>>): readonly string[] {
  const length = needles.reduce((shortest, needle) => Math.min(shortest, needle.length), START_LENGTH)
  const byStart = Map.groupBy(new Set(needles), (needle) => needle.slice(0, length))
  const hasOne = (text: string) => {
    for (let at = 0; at + length <= text.length; at++) {
      if (byStart.get(text.slice(at, at + length))?.some((needle) => text.startsWith(needle, at))) return true
    }
    return false
  }
  return Object.entries(places).flatMap(([name, text]) => (hasOne(text) ? [name] : []))
}

/** What of a text's base64 is the same whatever stands around it, where it begins `offset` bytes into a group of three. */
function insideBase64(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64")
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
}
