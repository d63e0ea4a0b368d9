import { fail, ok, type Result } from "../core/result.ts"
import { isHttpsOrLoopback } from "../core/url.ts"
import { parseStrictJsonObject } from "./strict-json.ts"

/** Where an issuer publishes its discovery document (OpenID Connect Discovery 1.0, section 4). */
export function discoveryUrlOf(issuerUrl: string): string {
  return below(issuerUrl, "/.well-known/openid-configuration")
}

/** A path below an issuer's URL, which may or may not end with a slash. */
export function below(issuerUrl: string, path: string): string {
  return issuerUrl.replace(/\/$/, "") + path
}

/**
 * Reads the JWKS URL out of a discovery document, if the document is this issuer's own and points to its own host.
 *
 * Whoever can put one file on an issuer's host must not be able to send us elsewhere for keys: a document whose
 * `issuer` is another one, or whose `jwks_uri` leaves the host, the port or https, is not believed. The issuer's URL
 * comes from the organisation file and never from a token, so nobody can make us dial a host of his choice.
 */
export function readDiscovery(body: Uint8Array, issuerUrl: string): Result<string, string> {
  const parsed = parseStrictJsonObject(body)
  if (!parsed.ok) return fail(`its discovery document ${parsed.fault}`)
  const { issuer, jwks_uri } = parsed.value
  if (issuer !== issuerUrl) return fail("its discovery document is another issuer's")
  if (typeof jwks_uri !== "string") return fail("its discovery document names no jwks_uri")
  if (!isHttpsOrLoopback(jwks_uri)) return fail("its jwks_uri is not an https URL")
  const [keys, own] = [new URL(jwks_uri), new URL(issuerUrl)]
  if (keys.origin !== own.origin) return fail("its jwks_uri is on another host")
  return ok(keys.href)
}
