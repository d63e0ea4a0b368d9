import * as oauth from "oauth4webapi"
import { HttpError } from "../../broker/ports/http.ts"

/** Why nobody was signed in: a sentence without its full stop. It never contains a code, a token or the provider's text. */
export class LoginError extends Error {
  override readonly name = "LoginError"
}

/** Turns what the library or the network threw into a sentence. Everything else is a bug, and is thrown on. */
export function loginError(thrown: unknown): LoginError {
  if (thrown instanceof LoginError) return thrown
  const cause = thrown instanceof Error ? thrown.cause : undefined
  for (const error of [thrown, cause]) {
    if (error instanceof HttpError) return new LoginError(`the provider cannot be asked (${error.reason})`)
  }
  if (thrown instanceof oauth.AuthorizationResponseError || thrown instanceof oauth.ResponseBodyError) {
    return new LoginError(wordsOf(thrown.error))
  }
  if (thrown instanceof oauth.WWWAuthenticateChallengeError) return new LoginError(wordsOf("invalid_client"))
  if (thrown instanceof oauth.OperationProcessingError || thrown instanceof oauth.UnsupportedOperationError) {
    return new LoginError(wordsOfCode(thrown.code ?? ""))
  }
  throw thrown
}

/** OAuth's own error codes: RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, section 3.5; OpenID Connect Core 3.1.2.6. */
const ERRORS: ReadonlyMap<string, string> = new Map([
  ["access_denied", "the sign-in was refused, by you or by the provider"],
  ["expired_token", "nobody signed in before the code expired: run the command again"],
  [
    "invalid_client",
    "the provider does not accept the client: a client that it gave a secret to needs DAYPASS_CLIENT_SECRET",
  ],
  ["invalid_grant", "the provider did not accept the code: run the command again"],
  ["invalid_request", "the provider did not understand the request: compare the client's settings with docs/people.md"],
  ["invalid_scope", "the provider does not know one of the scopes: choose others with --scope"],
  [
    "unauthorized_client",
    "the provider does not let this client sign people in this way: change the client's settings",
  ],
  ["unsupported_grant_type", "the provider does not offer this way to sign in: try it with --device, or without"],
  ["login_required", "the provider wants a new login: run the command again"],
  ["temporarily_unavailable", "the provider is not available at the moment: run the command again later"],
  ["server_error", "the provider failed: run the command again later"],
])

function wordsOf(error: string): string {
  const known = ERRORS.get(error)
  if (known !== undefined) return `${known} (${error})`
  return /^[a-z_]{1,64}$/.test(error) ? `the provider refused: ${error}` : "the provider refused, with an unknown error"
}

function wordsOfCode(code: string): string {
  switch (code) {
    case oauth.JSON_ATTRIBUTE_COMPARISON:
    case oauth.INVALID_SERVER_METADATA:
    case oauth.MISSING_SERVER_METADATA:
      return "the provider's discovery document belongs to another issuer, or lacks an address that this login needs"
    case oauth.JWT_CLAIM_COMPARISON:
      return "the ID token is not the one that this login asked for: its issuer, audience or nonce is another"
    case oauth.JWT_TIMESTAMP_CHECK:
      return "the ID token is expired, or not valid yet: compare this machine's clock"
    case oauth.RESPONSE_IS_NOT_CONFORM:
    case oauth.RESPONSE_IS_NOT_JSON:
      return "the address is not one of an OpenID provider: compare the issuer's URL"
    default:
      return "the provider's answer is not what OpenID Connect asks for"
  }
}
