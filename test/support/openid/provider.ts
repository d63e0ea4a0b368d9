import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import Provider from "oidc-provider"

/** An OpenID provider that other people wrote (`oidc-provider`, certified), on this machine. */
export interface OpenIdProvider {
  readonly url: string
  /** Paths of all requests so far, with their methods. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

/** The public client of the command line: a native one, so that any port of this machine may be in its redirect. */
export const CLIENT = "daypass-cli"

export interface ProviderOptions {
  /** Seconds; an hour when it is left out. */
  readonly idTokenLifetime?: number
  /** What the provider says of every person, besides `sub`. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly deviceFlow?: boolean
}

const PERSON = { email_verified: true, groups: ["engineering"], name: "Person Example" }

/** The provider's own form on a bare page, with a button. */
function showForm(context: { body: unknown }, form: string): void {
  const [, id = ""] = /<form id="([^"]+)"/.exec(form) ?? []
  context.body = `<!doctype html>${form}<button type="submit" form="${id}">Go on</button>`
}

function sayDone(context: { body: unknown }): void {
  context.body = "<!doctype html>You are signed in."
}

/** Starts it. Who signs in with any password is the person of that name, with the address NAME@example.com. */
export async function openIdProvider(options: ProviderOptions = {}): Promise<OpenIdProvider> {
  const { idTokenLifetime = 3_600, claims = {}, deviceFlow = true } = options
  const requests: string[] = []
  let handle: ReturnType<Provider["callback"]> | null = null
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split("?")[0]}`)
    handle?.(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  // It warns that it keeps nothing and that its pages are for development: both are meant here.
  const { warn } = console
  console.warn = () => {}
  const provider = new Provider(url, {
    clients: [
      {
        client_id: CLIENT,
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1/callback", "http://127.0.0.1/console/callback"],
        response_types: ["code"],
        grant_types: ["authorization_code", ...(deviceFlow ? ["urn:ietf:params:oauth:grant-type:device_code"] : [])],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" }] },
    features: {
      deviceFlow: {
        enabled: deviceFlow,
        userCodeInputSource: showForm,
        userCodeConfirmSource: showForm,
        successSource: sayDone,
      },
    },
    // A company's provider puts what it knows of a person into the ID token.
    conformIdTokenClaims: false,
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    scopes: ["openid", "email", "profile", "groups"],
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, ...PERSON, ...claims }),
    }),
    ttl: { IdToken: idTokenLifetime, DeviceCode: 600, Interaction: 600, Session: 600, Grant: 600, AccessToken: 600 },
    cookies: { keys: ["cookies of a test"] },
  })
  handle = provider.callback()
  console.warn = warn
  return {
    url,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
