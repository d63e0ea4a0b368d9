import { fail, ok, type Result } from "../core/result.ts"
import { parsePlainUrl } from "../core/url.ts"
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
 * Reads the JWKS URL from a discovery document. The document must belong to this issuer and point to the issuer's host.
 *
 * An attacker who can put one file on an issuer's host must not be able to redirect the broker to other keys. So a document
 * with another `issuer`, or with a `jwks_uri` on another host, another port or without https, is refused. The issuer's URL
 * comes from the organisation file and never from a token, so a token cannot make the broker connect to a chosen host.
 *
 * @param keysOrigin where the keys must be; left out: the issuer's own origin
 */
export function readDiscovery(
  body: Uint8Array,
  issuerUrl: string,
  keysOrigin = new URL(issuerUrl).origin,
): Result<string, string> {
  const parsed = parseStrictJsonObject(body)
  if (!parsed.ok) return fail(`its discovery document ${parsed.fault}`)
  const { issuer, jwks_uri } = parsed.value
  if (issuer !== issuerUrl) return fail("its discovery document names another issuer")
  if (typeof jwks_uri !== "string") return fail("its discovery document has no jwks_uri")
  const keys = parsePlainUrl(jwks_uri)
  if (keys === null) return fail("its jwks_uri must be an https URL in its plain spelling, without query and fragment")
  if (keys.origin !== keysOrigin) return fail(OTHER_HOST)
  return ok(keys.href)
}

const OTHER_HOST =
  "its jwks_uri must be on the issuer's own host and port; if the other host is yours, name it as jwks_url in the organisation file"
