import { type PublishedCurrent, signedText } from "../../core/policy/published.ts"

const ED25519 = "Ed25519"

/** Whether one of these keys (Ed25519, base64 of SPKI) signed the set. Never throws. */
export async function isSignedBy(publishers: readonly string[], current: PublishedCurrent): Promise<boolean> {
  const signature = bytesOf(current.signature ?? "")
  if (signature === null) return false
  const text = new TextEncoder().encode(signedText(current))
  for (const publisher of publishers) {
    try {
      const spki = bytesOf(publisher) ?? new Uint8Array()
      const key = await crypto.subtle.importKey("spki", spki, ED25519, false, ["verify"])
      if (await crypto.subtle.verify(ED25519, key, signature, text)) return true
    } catch {
      // The settings refuse what is no key. A signature of a wrong length is no signature.
    }
  }
  return false
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0))
  } catch {
    return null
  }
}
