import { JENKINS } from "../../core/families/jenkins.ts"
import type { Claims } from "../../core/identity.ts"
import type { IssuerConfig } from "../../core/policy/model.ts"
import { ok, type Result } from "../../core/result.ts"
import type { IssuerFamily } from "../family.ts"
import { mappedClaims } from "../mapped-claims.ts"

/**
 * Jenkins with its plugin "OpenID Connect Provider": the issuer is the whole Jenkins, a folder of it, or a URL where the
 * administrator puts the plugin's two documents.
 *
 * Only RSA: the plugin writes elliptic keys in padded base64 with sign bytes, which is no JWK. It also writes the modulus
 * of RSA keys with a leading zero byte, which `keySpelling` allows.
 */
export const jenkins: IssuerFamily = {
  facts: JENKINS,
  algorithms: ["RS256", "RS384", "RS512"],
  keys: { by: "path", path: "/jwks" },
  derive: mapped,
}

/** Its job, and what else the organisation file maps. */
function mapped(claims: Claims, issuer: IssuerConfig): Result<Claims, string> {
  const found = mappedClaims(claims, issuer)
  if (!found.ok) return found
  return ok({ job: claims["sub"] ?? null, ...found.value })
}
