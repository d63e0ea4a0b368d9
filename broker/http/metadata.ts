import { JWKS_PATH } from "../signing/discovery.ts"
import { TOKEN_EXCHANGE, TOKEN_PATH } from "./token.ts"

export const SERVER_METADATA_PATH = "/.well-known/oauth-authorization-server"
export const RESOURCE_METADATA_PATH = "/.well-known/oauth-protected-resource"

/** The broker as an authorization server (RFC 8414, section 2): it only exchanges tokens, for clients that need no account. */
export const serverMetadata = (issuer: string) => ({
  issuer,
  token_endpoint: `${issuer}${TOKEN_PATH}`,
  token_endpoint_auth_methods_supported: ["none"],
  grant_types_supported: [TOKEN_EXCHANGE],
  // Required. The broker has no authorization endpoint.
  response_types_supported: [],
  jwks_uri: `${issuer}${JWKS_PATH}`,
})

/**
 * The broker as a resource that takes subject tokens (RFC 9728, section 2). It does not say which issuers it trusts: an
 * issuer of an organisation's own server is private to it.
 */
export const resourceMetadata = (resource: string) => ({
  resource,
  bearer_methods_supported: ["header"],
  resource_name: "Daypass",
})
