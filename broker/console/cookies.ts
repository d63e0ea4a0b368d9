import type { Secret } from "../core/secret.ts"
import type { SealContext, Sealer } from "../signing/sealer.ts"

/** `session`: who is signed in. `sign-in`: a sign-in that waits for the provider's answer. */
export type CookieName = "session" | "sign-in"

/**
 * On https, the prefix keeps other hosts of the domain, and plain http, from writing the cookie (RFC 6265bis, section 4.1.3).
 * On a loopback address there is no https.
 */
const fullName = (name: CookieName, url: string): string =>
  `${url.startsWith("https:") ? "__Host-" : ""}daypass-${name}`

/** The value of a cookie; null when the request has none, or several. */
export function cookieOf(headers: Headers, name: CookieName, url: string): string | null {
  const wanted = `${fullName(name, url)}=`
  const found = (headers.get("cookie") ?? "").split(/; ?/).filter((pair) => pair.startsWith(wanted))
  return found.length === 1 ? (found[0]?.slice(wanted.length) ?? null) : null
}

/**
 * The header that sets a cookie, or removes it at once. `Lax`: the provider's answer is a navigation from another site, and must
 * carry it. Requests that change something are held to the form's text and their origin.
 *
 * @param seconds its life; 0: removed
 */
export const setCookie = (name: CookieName, value: string, seconds: number, url: string): string =>
  `${fullName(name, url)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${url.startsWith("https:") ? "; Secure" : ""}`

/**
 * The text of a sealed cookie; null for none, and for one that this broker did not seal. Only under the current key: the previous
 * one may stand in the settings because somebody has read it, and whoever has it could make sessions.
 */
export async function openCookie(
  value: string | null,
  context: SealContext,
  sealer: Sealer,
): Promise<Secret<string> | null> {
  if (value === null || sealer.sealedUnder(value) !== "current") return null
  return await sealer.open(value, context).catch(() => null)
}
