const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Decodes UTF-8, and keeps a byte order mark; null when the bytes are not UTF-8. */
export function textOfUtf8(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes)
  } catch {
    return null
  }
}

/** Parses JSON in UTF-8; undefined, which is no JSON value, when the bytes are anything else. */
export function jsonOfUtf8(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOfUtf8(bytes) ?? "")
  } catch {
    return undefined
  }
}
