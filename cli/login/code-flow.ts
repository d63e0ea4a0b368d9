import * as oauth from "oauth4webapi"
import { LoginError } from "./login-error.ts"
import type { Loopback } from "./loopback.ts"
import type { SignIn } from "./sign-in.ts"

/** Long enough for a second factor that has to be fetched from another room. */
const SIGN_IN_TIMEOUT_MS = 5 * 60_000

/** How a flow talks to the person. */
export interface BrowserTalk {
  /** Shows the address, and opens it if it can. */
  show(address: string): void
}

/**
 * Signs a person in by the authorization code flow with PKCE (RFC 7636, S256) and a redirect to this machine (RFC 8252).
 * Resolves to the ID token. The answer must carry this login's `state`, the token its `nonce`, and where the provider names
 * itself in the answer (RFC 9207), it must be the one that was asked.
 * @throws what the library throws, and {LoginError}
 */
export async function signInByCode(
  { server, client, authentication, options, scope }: SignIn,
  loopback: Loopback,
  talk: BrowserTalk,
): Promise<string> {
  if (server.authorization_endpoint === undefined) throw new LoginError("the provider offers no login in a browser")
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const { redirectUri } = loopback
  const address = new URL(server.authorization_endpoint)
  oauth.checkProtocol(address, !options[oauth.allowInsecureRequests])
  for (const [name, value] of Object.entries({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  })) {
    address.searchParams.set(name, value)
  }
  const answered = loopback.answer(async (parameters) => {
    if (parameters.get("state") !== state) return null
    const valid = oauth.validateAuthResponse(server, client, parameters, state)
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      valid,
      redirectUri,
      verifier,
      options,
    )
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    })
    return tokens.id_token ?? null
  }, SIGN_IN_TIMEOUT_MS)
  talk.show(address.href)
  return answered
}
