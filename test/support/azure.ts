import type { IncomingMessage, ServerResponse } from "node:http"
import {
  ENTRA_ERRORS,
  type EntraCode,
  EntraRefusal,
  errorBody,
  type IssuedToken,
  makeToken,
  successBody,
} from "./azure/answer.ts"
import { readTokenCall, type TokenCall } from "./azure/request.ts"
import { assertPossible, authenticate, type Client } from "./azure/trust.ts"
import { RequestLog } from "./request-log.ts"
import { Failures, type Misbehaviour, misbehave, readBody, startServer } from "./servers.ts"

const DEFAULT_LIFETIME_SECONDS = 3_599
const JSON_TYPE = "application/json; charset=utf-8"

/** The services that every tenant knows. */
const RESOURCES = [
  "https://management.azure.com",
  "https://vault.azure.net",
  "https://storage.azure.com",
  "https://graph.microsoft.com",
]

/** What Entra can do besides failing as any server: refuse with a code of its own, or give tokens for longer than usual. */
export type AzureMisbehaviour = Misbehaviour | EntraCode | "long-lived"

export interface Azure {
  readonly url: string
  /** The one tenant there is. */
  readonly tenant: string
  /** Makes a client exist; one with the same id is replaced. */
  addClient(client: Client): void
  /** Makes an application of the tenant's own that clients can ask tokens for. */
  addResource(resource: string): void
  /** Makes the next `times` answers fail; for good when `times` is left out. `null` mends it. */
  fail(how: AzureMisbehaviour | null, times?: number): void
  /** What is known of a token that was handed out and has not ended. */
  holder(accessToken: string): IssuedToken | undefined
  /** All that was handed out, in order. */
  readonly issued: readonly IssuedToken[]
  /** What was asked, in order, for example `token https://vault.azure.net 200`. No token is in it. */
  readonly requests: readonly string[]
  /** @throws when anything was asked that is neither a token request nor the OpenID configuration. */
  assertClean(): void
  /** Stops, then asserts that it was left clean. */
  close(): Promise<void>
}

/**
 * Starts a stand-in for Microsoft Entra ID on loopback: the token endpoint of one tenant, and its OpenID configuration, as
 * strict as the real one.
 */
export async function startAzure(tenant = "7c1f0a52-3b6e-4d7a-9c55-2f8e1d0b4a63"): Promise<Azure> {
  const log = new RequestLog("the stand-in for Microsoft Entra ID")
  const clients = new Map<string, Client>()
  const resources = new Set(RESOURCES)
  const issued: IssuedToken[] = []
  const ends = new Map<string, number>()
  const failures = new Failures<AzureMisbehaviour>()

  const server = await startServer(
    (request, response) => serve(request, response),
    (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`),
  )

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const configuration = /^\/([^/?]+)\/v2\.0\/\.well-known\/openid-configuration$/.exec(request.url ?? "")
    if (configuration !== null && request.method === "GET") return describe(configuration[1] ?? "", request, response)
    // MSAL repeats the id of its request in the query.
    const path = /^\/([^/?]+)\/oauth2\/v2\.0\/token(?:\?client-request-id=[\w-]+)?$/.exec(request.url ?? "")
    if (path === null || request.method !== "POST") {
      log.unexpected(`${request.method} ${request.url?.split("?")[0]} 404`)
      response.writeHead(404).end()
      return
    }
    const how = failures.take()
    try {
      const body = await readBody(request)
      if (path[1] !== tenant) throw new EntraRefusal(90002, `Tenant '${path[1]}' not found.`)
      const call = readTokenCall(request.headers, body)
      if (isCode(how)) throw new EntraRefusal(how, "Refused, because the test says so.")
      const right = successBody(await issue(call, how))
      if (how !== null && how !== "long-lived") {
        log.note(`token ${call.resource} (${how})`)
        misbehave(response, how, { type: JSON_TYPE, body: right })
        return
      }
      log.note(`token ${call.resource} 200`)
      response.writeHead(200, { "Content-Type": JSON_TYPE, "Cache-Control": "no-store, no-cache" }).end(right)
    } catch (error) {
      if (!(error instanceof EntraRefusal)) throw error
      log.note(`token ${error.status} AADSTS${error.code}`)
      response.writeHead(error.status, { "Content-Type": JSON_TYPE }).end(errorBody(error))
    }
  }

  /** OpenID configuration, by which MSAL finds the token endpoint. */
  function describe(named: string, { headers }: IncomingMessage, response: ServerResponse): void {
    const status = named === tenant ? 200 : 400
    log.note(`openid-configuration ${status}`)
    // MSAL wants https, so that a proxy stands before this server.
    const origin = `${headers["x-forwarded-proto"] ?? "http"}://${headers.host}`
    const body =
      named === tenant
        ? JSON.stringify(configurationOf(`${origin}/${tenant}`))
        : errorBody(new EntraRefusal(90002, `Tenant '${named}' not found.`))
    response.writeHead(status, { "Content-Type": JSON_TYPE }).end(body)
  }

  async function issue(call: TokenCall, how: AzureMisbehaviour | null): Promise<IssuedToken> {
    const { clientId, resource } = call
    const client = clients.get(clientId)
    if (!client) {
      throw new EntraRefusal(700016, `Application with identifier '${clientId}' was not found in the directory.`)
    }
    if (client.disabled) throw new EntraRefusal(7000112, `Application '${clientId}' is disabled.`)
    const subject = await authenticate(client, call.assertion)
    // A client can always ask for a token for itself.
    if (!resources.has(resource) && !clients.has(resource)) {
      throw new EntraRefusal(500011, `The resource principal named ${resource} was not found in the tenant.`)
    }
    const usual = client.lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS
    const expiresIn = how === "long-lived" ? usual + 86_400 : usual
    const token = { accessToken: makeToken(), clientId, resource, subject, expiresIn }
    issued.push(token)
    ends.set(token.accessToken, Date.now() + expiresIn * 1000)
    return token
  }

  return {
    url: server.url,
    tenant,
    addClient(client) {
      assertPossible(client)
      clients.set(client.clientId, client)
    },
    addResource: (resource) => void resources.add(resource),
    fail: (how, times) => failures.set(how, times),
    holder: (accessToken) =>
      issued.find((one) => one.accessToken === accessToken && (ends.get(accessToken) ?? 0) > Date.now()),
    issued,
    requests: log.entries,
    assertClean: () => log.assertClean(),
    async close() {
      await server.close()
      log.assertClean()
    },
  }
}

const configurationOf = (authority: string) => ({
  issuer: `${authority}/v2.0`,
  authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
  token_endpoint: `${authority}/oauth2/v2.0/token`,
  jwks_uri: `${authority}/discovery/v2.0/keys`,
  end_session_endpoint: `${authority}/oauth2/v2.0/logout`,
  token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt"],
  response_types_supported: ["code", "id_token"],
  subject_types_supported: ["pairwise"],
  id_token_signing_alg_values_supported: ["RS256"],
  scopes_supported: ["openid", "profile", "email", "offline_access"],
})

const isCode = (how: AzureMisbehaviour | null): how is EntraCode => typeof how === "number" && how in ENTRA_ERRORS

export type { Client } from "./azure/trust.ts"
