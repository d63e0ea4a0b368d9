import * as oauth from "oauth4webapi"
import { type OpenIdOptions, openIdOptions } from "../../broker/http/openid-http.ts"
import type { Http } from "../../broker/ports/http.ts"
import type { Provider } from "./provider.ts"

/** What both ways to sign in need. */
export interface SignIn {
  readonly server: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly authentication: oauth.ClientAuth
  readonly options: OpenIdOptions
  readonly scope: string
}

/**
 * Reads the provider's discovery document, which must be of this issuer.
 *
 * @param secret of a client to which its provider gave one, although no program on a person's machine can keep it: Google's
 * clients for desktops need theirs
 * @throws what the library throws
 */
export async function prepareSignIn(
  { issuer, clientId }: Provider,
  http: Http,
  { scope, secret }: { readonly scope?: string | undefined; readonly secret?: string | undefined },
): Promise<SignIn> {
  const options = openIdOptions(http, issuer)
  const response = await oauth.discoveryRequest(issuer, options)
  const server = await oauth.processDiscoveryResponse(issuer, response)
  return {
    server,
    client: { client_id: clientId },
    authentication: secret === undefined || secret === "" ? oauth.None() : oauth.ClientSecretPost(secret),
    options,
    scope: scope ?? usualScope(server),
  }
}

/** The groups of a person are what most policies go by; some providers send them only when they are asked. */
const usualScope = ({ scopes_supported: known = [] }: oauth.AuthorizationServer): string =>
  ["openid", "email", "profile", ...(known.includes("groups") ? ["groups"] : [])].join(" ")
