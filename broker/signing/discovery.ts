import { SIGNING_ALGORITHM } from "./signing-key.ts"

/** The path of the broker's public keys, below its URL. */
export const JWKS_PATH = "/.well-known/jwks.json"

/** The discovery document (OpenID Connect Discovery 1.0, section 3), with only the fields that federation needs. */
export function discoveryDocument(issuer: string) {
  return {
    issuer,
    jwks_uri: `${issuer}${JWKS_PATH}`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [SIGNING_ALGORITHM],
    claims_supported: [
      "iss",
      "sub",
      "aud",
      "exp",
      "nbf",
      "iat",
      "jti",
      "repository",
      "repository_id",
      "environment",
      "ref",
      "grant",
    ],
  }
}
