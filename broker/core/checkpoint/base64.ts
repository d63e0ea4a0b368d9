/** Standard base64 (RFC 4648 section 4) with padding, as C2SP's formats write it. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ""
  // In pieces: a call has a limit of arguments.
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(binary)
}

/** Decodes the only canonical form. Null otherwise: a lenient decoder would read several texts as one signature. */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  let binary: string
  try {
    binary = atob(text)
  } catch {
    return null
  }
  return btoa(binary) === text ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : null
}

/** A SHA-256 hash in base64; null for anything else. */
export function decodeHash(text: string): Uint8Array | null {
  const bytes = text.length === 44 ? decodeBase64(text) : null
  return bytes?.length === 32 ? bytes : null
}

/** A size or an index as C2SP's formats write it: decimal, without leading zeroes. Null for anything else. */
export function parseSize(text: string): number | null {
  const size = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(size) ? size : null
}
