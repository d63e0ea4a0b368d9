import type { IncomingMessage, ServerResponse } from "node:http"
import { RequestLog } from "./request-log.ts"
import { Failures, type Misbehaviour, misbehave, readBody, startServer } from "./servers.ts"
import { envelope, type VaultAnswer, type VaultCall, VaultRefusal } from "./vault/answers.ts"
import { VaultEngines } from "./vault/engines.ts"
import { VaultTokens } from "./vault/tokens.ts"

export interface Vault {
  readonly url: string
  readonly tokens: VaultTokens
  readonly engines: VaultEngines
  /** Makes the next `times` answers fail; for good when `times` is left out. `null` mends it. What is asked meanwhile does nothing. */
  fail(how: Misbehaviour | null, times?: number): void
  /** Seals it: everything is refused until it is unsealed. */
  seal(sealed: boolean): void
  /** What was asked, in order, for example `GET database/creds/shop-rw 200`. No token is in it. */
  readonly requests: readonly string[]
  /** Tokens that can be revoked, and leases, that have not ended. */
  alive(): number
  /** @throws when anything was asked that the broker has no reason to ask. */
  assertClean(): void
  /** Stops, then asserts that it was left clean. */
  close(): Promise<void>
}

/**
 * Starts a stand-in for Vault on loopback: its JWT auth method at `jwt`, tokens and policies, KV, a database engine, and
 * leases. It refuses what the real one refuses, and what it does not know.
 */
export async function startVault(): Promise<Vault> {
  const log = new RequestLog("the Vault stand-in")
  const engines = new VaultEngines()
  const tokens = new VaultTokens((token) => engines.endOf(token))
  const failures = new Failures<Misbehaviour>()
  let isSealed = false

  const server = await startServer(
    (request, response) => serve(request, response),
    (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`),
  )

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", server.url)
    const path = decodeURIComponent(url.pathname).replace(/^\/v1\//, "")
    const line = `${request.method} ${path}${url.search}`
    const answer = (status: number, body: string) => {
      log.note(`${line} ${status}`)
      response.writeHead(status, { "Content-Type": "application/json" }).end(body)
    }
    if (!url.pathname.startsWith("/v1/")) {
      log.unexpected(`${line} 404`)
      response.writeHead(404).end()
      return
    }
    const body = await readBody(request)
    const how = failures.take()
    if (how !== null) {
      log.note(`${line} (${how})`)
      misbehave(response, how, { type: "application/json", body: envelope({}) })
      return
    }
    try {
      if (isSealed) throw new VaultRefusal(503, "Vault is sealed")
      const result = await dispatch(readCall(request, url, path, body))
      if (result === null) answer(204, "")
      else if (isGone(result)) answer(404, envelope(result.answer ?? {}))
      else answer(200, envelope(result))
    } catch (error) {
      if (!(error instanceof VaultRefusal)) throw error
      answer(error.status, JSON.stringify({ errors: error.errors }))
    }
  }

  async function dispatch(call: VaultCall): Promise<VaultAnswer | ReturnType<VaultEngines["readVersioned"]>> {
    const { path, method } = call
    if (path === "auth/jwt/login") {
      if (method !== "POST") throw new VaultRefusal(405, "unsupported operation")
      return await tokens.login(call)
    }
    const token = tokens.authorise(call)
    const place = `${method} ${path}`
    if (place === "GET auth/token/lookup-self") return tokens.lookupSelf(call, token)
    if (place === "POST auth/token/renew-self") return tokens.renewSelf(call, token)
    if (place === "POST auth/token/revoke-self") return tokens.revokeSelf(call, token)
    if (place === "POST sys/capabilities-self") return tokens.capabilitiesSelf(call, token)
    if (place === "POST sys/leases/renew") return engines.renew(call)
    if (place === "POST sys/leases/revoke") return engines.revoke(call)
    if (/^(?:GET|POST) gcp\/roleset\/[^/]+\/token$/.test(place)) return engines.giveGoogleToken(call)
    if (/^POST database\/creds\/[^/]+$/.test(place)) throw new VaultRefusal(405, "unsupported operation")
    const transit = /^POST sops\/decrypt\/([^/]+)$/.exec(place)?.[1]
    if (transit !== undefined) return engines.decryptWith(transit, call)
    const [, kv, creds, legacy] = /^GET (?:secret\/data\/(.+)|database\/creds\/([^/]+)|legacy\/(.+))$/.exec(place) ?? []
    if (kv !== undefined) return engines.readVersioned(kv, call)
    if (creds !== undefined) return engines.mint(creds, call, token)
    if (legacy !== undefined) return engines.readLegacy(legacy, call)
    throw new VaultRefusal(404, `no handler for route "${path}". route entry not found.`)
  }

  return {
    url: server.url,
    tokens,
    engines,
    fail: (how, times) => failures.set(how, times),
    seal: (sealed) => {
      isSealed = sealed
    },
    requests: log.entries,
    alive: () => tokens.alive() + engines.leases.length,
    assertClean: () => log.assertClean(),
    async close() {
      await server.close()
      log.assertClean()
    },
  }
}

/**
 * Checks a call's form. Two things are stricter than Vault: X-Vault-Request must be there, which a listener can only be
 * told to want; and headers that have Vault do something else, such as wrapping, are refused.
 *
 * @throws {VaultRefusal}
 */
function readCall({ method, headers }: IncomingMessage, url: URL, path: string, body: string | null): VaultCall {
  // To Vault both are the same operation. HashiCorp's client for Go, and with it the command, writes with PUT.
  const operation = method === "PUT" ? "POST" : method
  if (operation !== "GET" && operation !== "POST") throw new VaultRefusal(405, "unsupported operation")
  if (headers["x-vault-request"] !== "true") throw new VaultRefusal(412, "missing 'X-Vault-Request' header")
  if (headers["x-vault-namespace"] !== undefined) throw new VaultRefusal(404, "namespace not found")
  const known = ["x-vault-request", "x-vault-token"]
  const strange = Object.keys(headers).find((name) => name.startsWith("x-vault-") && !known.includes(name))
  if (strange !== undefined || headers.authorization !== undefined)
    throw new VaultRefusal(400, "a header that nobody needs")
  if (body === null) throw new VaultRefusal(413, "request body too large")
  if (operation === "GET" && body !== "") throw new VaultRefusal(400, "a GET has no body")
  const token = headers["x-vault-token"]
  return {
    method: operation,
    path,
    query: url.searchParams,
    token: typeof token === "string" ? token : null,
    // Vault takes no body for an empty one, and looks at no type: its client for Go sends none.
    body: body === "" ? {} : readJsonBody(headers["content-type"] ?? "application/json", body),
  }
}

function readJsonBody(type: string | undefined, body: string): Readonly<Record<string, unknown>> {
  if (type !== "application/json") throw new VaultRefusal(400, "the body is application/json")
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>
  } catch {
    // Falls through: no JSON.
  }
  throw new VaultRefusal(400, "failed to parse JSON input")
}

const isGone = (result: object): result is { readonly status: 404; readonly answer: VaultAnswer } =>
  "status" in result && "answer" in result
