import { OPENID } from "../../core/families/openid.ts"
import type { Claims } from "../../core/identity.ts"
import type { IssuerConfig } from "../../core/policy/model.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * People: the ID tokens of a company's OpenID provider, such as Google, Microsoft Entra ID, Okta, Keycloak or Cloudflare
 * Access. The token's audience is the client that `daypass login` signs in to.
 *
 * Source: OpenID Connect Core 1.0, section 3.1.3.7. `nonce` is checked by the client that chose it.
 */
export const openid: IssuerFamily = {
  facts: OPENID,
  algorithms: ["RS256", "ES256", "PS256", "EdDSA"],
  // Google's keys are on another of Google's hosts.
  keys: { by: "discovery", elsewhere: { "https://accounts.google.com": "https://www.googleapis.com" } },
  derive: withVerifiedEmail,
  check: faultOfPerson,
}

/**
 * An address that its issuer did not verify is taken out of the claims: at many providers people, or the administrators of
 * another tenant, write into it what they like. So no `allow` can match it, and no `deny` misses it.
 */
function withVerifiedEmail(claims: Claims): Result<Claims, string> {
  const said = claims["email_verified"] ?? null
  const verified = said === null ? null : said === true || said === "true"
  if (verified === false && said !== false && said !== "false") {
    return fail("the claim email_verified must be true or false")
  }
  // Some providers send a text. Conditions see one type.
  const email = verified === true ? {} : { email: null }
  return ok(verified === null ? email : { ...email, email_verified: verified })
}

function faultOfPerson(claims: Claims, { audience }: IssuerConfig): string | null {
  const { aud, azp, typ } = claims
  // A provider may let anybody register a client, and then its id can look like ours with a key's thumbprint behind it.
  const [client] = Array.isArray(aud) ? aud : [aud]
  if (client !== audience) return "the claim aud must be the client, and nothing else"
  // A service account of Google can ask for a token with any audience; its azp is the account itself.
  if (azp !== undefined && azp !== audience) return "the claim azp must be the client that the audience names"
  // The same keys sign tokens for other purposes: access tokens, and notices of a logout.
  if (typ !== undefined && typ !== "ID") return `the claim typ must be ID, or be left out: ${SHOW_ID_TOKEN}`
  const other = NOT_IN_ID_TOKENS.find((claim) => claims[claim] !== undefined)
  return other === undefined ? null : `there must be no claim ${other}: ${SHOW_ID_TOKEN}`
}

const SHOW_ID_TOKEN = "show the ID token, and no other token of the person"

/** OpenID Connect Back-Channel Logout 1.0, section 2.4; RFC 9068, section 2.2; Entra ID's access tokens. */
const NOT_IN_ID_TOKENS = ["events", "scope", "scp", "client_id"] as const
