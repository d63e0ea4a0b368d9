import { createHash, randomBytes, randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { CompactEncrypt } from "jose/jwe/compact/encrypt"
import { EmbeddedJWK } from "jose/jwk/embedded"
import { calculateJwkThumbprint } from "jose/jwk/thumbprint"
import { jwtVerify } from "jose/jwt/verify"
import { type CredentialValue, KEY_BINDING_SEPARATOR, type PublicJwk } from "../../broker/wire/exchange.ts"
import { LEASE_ID } from "../../broker/wire/lease-id.ts"

/** What the script does with one expected request. */
export type Reply =
  /** Seals this to the key that came along and answers with it. Its lease `lease-1` becomes the one that was asked for. */
  | { readonly sealed: unknown }
  /** Seals these very bytes, or to another key, or in another way than agreed. */
  | { readonly sealedBytes: Uint8Array }
  | { readonly sealedTo: PublicJwk; readonly plaintext: unknown }
  | {
      readonly status: number
      readonly type?: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body: unknown
    }
  /** Closes the connection without an answer. */
  | { readonly reset: true }
  /** Is called when the request has come, and answers what it resolves to. One that never resolves holds the request. */
  | { readonly when: () => Promise<Reply | undefined> }

export interface Expected {
  readonly on: "token" | "exchange" | "revoke"
  readonly reply?: Reply
  /** The answer waits for this. */
  readonly after?: Promise<unknown>
}

export interface ScriptedBroker {
  readonly origin: string
  /** As under `ACTIONS_ID_TOKEN_REQUEST_*`. */
  readonly idToken: { readonly url: string; readonly requestToken: string }
  /** Every request in order, with all that varies named: keys, tokens, thumbprints, and leases as `lease-1`, `lease-2`, .... */
  readonly requests: readonly string[]
  /** The ids of leases that were asked for, in order. */
  readonly leases: readonly string[]
  /** Bearer tokens that were issued, in order; for canaries. */
  readonly tokens: readonly string[]
  /** A new token of a CI that gives it in another way than by this endpoint. */
  issue(audience: string, claims?: Readonly<Record<string, unknown>>): string
  /** What was asked and should not have been, and what was expected and never came. Empty when all went as scripted. */
  faults(): readonly string[]
  close(): Promise<void>
}

interface IssuedToken {
  readonly name: string
  readonly audience: string
  used: boolean
  /** Of the key that its first use proved. */
  provedBy?: string
}

/**
 * The runner's token endpoint and a broker in one loopback server that answers a script, request by request.
 *
 * Strict where the real ones are: a token request needs the runner's own bearer; an exchange needs a token that this
 * endpoint issued, unused, whose audience carries the thumbprint of the key in the body, and a new lease; a revocation needs a token that
 * is bound to a key never seen. A token whose audience names no key is used once, or again with DPoP proofs of one key, each of which
 * must be new and for this very call. A request out of turn is answered with 500 and remembered as a fault.
 */
export async function scriptedBroker(
  script: readonly Expected[],
  options: {
    audience?: string
    requestToken?: string
    userAgent?: string
  } = {},
): Promise<ScriptedBroker> {
  // One job has one request token in all its steps: a test of two steps passes its own.
  const requestToken = options.requestToken ?? randomBytes(24).toString("base64url")
  const issued = new Map<string, IssuedToken>()
  const thumbprints = new Set<string>()
  const requests: string[] = []
  const leases: string[] = []
  const proofs = new Set<string>()
  const faults: string[] = []
  const waiting = [...script]

  const server = createServer((request, response) => {
    handle(request, response).catch((fault: unknown) => {
      faults.push(fault instanceof Error ? fault.message : String(fault))
      response.writeHead(500, { "content-type": "text/plain" }).end("out of script")
    })
  })
  const port = await listen(server)
  const origin = `http://127.0.0.1:${port}`
  const audience = options.audience ?? origin
  const userAgent = options.userAgent ?? "daypass-action"

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    const url = new URL(request.url ?? "/", origin)
    const bearer = readBearer(request)
    require(request.headers["user-agent"] === userAgent, "a request without the client's User-Agent")
    const on = turnOf(request.method ?? "", url)
    const expected = waiting.shift()
    if (on === "token") return answerTokenRequest(url, bearer, body, expected, response)
    const proof = await readProof(request, url, bearer)
    const token = useToken(bearer, proof)
    const by = proof === null ? "" : " proved"
    if (on === "exchange") {
      const namesKey = token.audience.includes(KEY_BINDING_SEPARATOR)
      const asked = namesKey || proof !== null ? await readExchange(request, url, token, body) : null
      const shown = asked?.shown ?? readPlainExchange(request, url, token, body)
      requests.push(`POST /v1/exchange bearer=${token.name}${by} body=${shown}`)
      require(expected?.on === "exchange", `an exchange, where the script has ${expected?.on ?? "ended"}`)
      await expected?.after
      return answer(response, expected?.reply, asked)
    }
    readRevocation(url, token, body)
    requests.push(`DELETE ${named(url.pathname)} bearer=${token.name}${by}`)
    require(expected?.on === "revoke", `a revocation, where the script has ${expected?.on ?? "ended"}`)
    return answer(response, expected?.reply, null)
  }

  async function answerTokenRequest(
    url: URL,
    bearer: string,
    body: string,
    expected: Expected | undefined,
    response: ServerResponse,
  ): Promise<void> {
    const asked = url.searchParams.getAll("audience")
    require(bearer === requestToken, "a token request without the runner's bearer")
    require(body === "" && asked.length === 1, "a token request that is not as the runner takes it")
    require(url.searchParams.get("api-version") === "2.0", "a token request that lost the runner's own query")
    const [before, jkt = ""] = (asked[0] ?? "").split(KEY_BINDING_SEPARATOR)
    const shown = before === audience ? "<audience>" : before
    requests.push(`GET /token audience=${shown}?jkt=${/^[\w-]{43}$/.test(jkt) ? "<thumbprint>" : jkt}`)
    require(expected?.on === "token", `a token request, where the script has ${expected?.on ?? "ended"}`)
    const reply = await resolved(expected?.reply)
    if (reply) return answer(response, reply, null)
    return answer(response, { status: 200, body: { value: issue(asked[0] ?? "") } }, null)
  }

  function issue(forAudience: string, claims: Readonly<Record<string, unknown>> = {}): string {
    const token = unsignedToken(forAudience, claims)
    issued.set(token, { name: `token-${issued.size + 1}`, audience: forAudience, used: false })
    return token
  }

  function useToken(bearer: string, proof: string | null): IssuedToken {
    const token = issued.get(bearer)
    if (token === undefined) throw new Error("unexpected: a bearer that the runner did not issue")
    const isAgain = proof !== null && token.provedBy === proof
    require(!token.used || isAgain, "a token that was used before, without a proof of its key")
    require(proof === null || !token.audience.includes(KEY_BINDING_SEPARATOR), "a proof for a token that names its key")
    token.used = true
    if (proof !== null) token.provedBy = proof
    return token
  }

  /** Verifies a DPoP proof with another library than the client's. Returns the thumbprint of its key; null without a proof. */
  async function readProof(request: IncomingMessage, url: URL, bearer: string): Promise<string | null> {
    const { dpop } = request.headers
    if (dpop === undefined) return null
    const { payload, protectedHeader } = await jwtVerify(String(dpop), EmbeddedJWK, {
      typ: "dpop+jwt",
      algorithms: ["ES256"],
    })
    const { jti = "", iat = 0, htm, htu, ath, ...more } = payload
    require(Object.keys(more).length === 0, "a proof with further claims")
    require(jti !== "" && !proofs.has(jti), "a proof that was used before")
    proofs.add(jti)
    require(Math.abs(Date.now() / 1000 - iat) < 30, "a proof of another time")
    require(htm === request.method && htu === `${origin}${url.pathname}`, "a proof of another call")
    require(ath === createHash("sha256").update(bearer).digest("base64url"), "a proof for another token")
    return calculateJwkThumbprint(protectedHeader.jwk ?? {})
  }

  async function readExchange(request: IncomingMessage, url: URL, token: IssuedToken, body: string) {
    require(url.search === "", "an exchange with a query")
    require(request.headers["content-type"] === "application/json", "an exchange that is not JSON")
    require((request.headers.accept ?? "").includes("application/jose"), "an exchange that accepts no JOSE")
    const { grants, ttl, key, lease, ...more } = JSON.parse(body) as Asked & Record<string, unknown>
    require(Object.keys(more).length === 0, "an exchange with members that the wire does not have")
    require(Object.keys(key).sort().join() === "crv,kty,x,y", "a key that is not a public P-256 key and nothing more")
    const thumbprint = await calculateJwkThumbprint(key)
    if (token.provedBy === undefined) {
      require(token.audience === `${audience}${KEY_BINDING_SEPARATOR}${thumbprint}`, "a token not bound to the key")
    } else {
      require(token.audience === audience && token.provedBy === thumbprint, "a key that the proof does not prove")
    }
    thumbprints.add(thumbprint)
    require(LEASE_ID.test(lease) && !leases.includes(lease), "a lease that is not a new UUID of version 7")
    leases.push(lease)
    const shown = JSON.stringify({ grants, ttl, key: "<P-256 public key>", lease: named(lease) })
    return { key, lease, shown }
  }

  function readPlainExchange(request: IncomingMessage, url: URL, token: IssuedToken, body: string): string {
    require(url.search === "", "an exchange with a query")
    require(request.headers["content-type"] === "application/json", "an exchange that is not JSON")
    require((request.headers.accept ?? "").includes("application/json"), "a plain exchange that accepts no JSON")
    const { grants, ttl, ...more } = JSON.parse(body) as Record<string, unknown>
    require(Object.keys(more).length === 0, "a plain exchange with a key, a lease or an unknown member")
    require(token.audience === audience, "a token for another audience")
    return JSON.stringify({ grants, ttl })
  }

  const named = (text: string) => leases.reduce((rest, id, index) => rest.replaceAll(id, `lease-${index + 1}`), text)

  function readRevocation(url: URL, token: IssuedToken, body: string): void {
    require(url.search === "" && body === "", "a revocation with a query or a body")
    const [before, jkt] = token.audience.split(KEY_BINDING_SEPARATOR)
    require(before === audience, "a revocation with a token for another audience")
    if (jkt === undefined) return
    require(/^[\w-]{43}$/.test(jkt), "a revocation whose token is bound to no key")
    require(!thumbprints.has(jkt), "a revocation with a token that an exchange would take")
  }

  return {
    origin,
    issue,
    idToken: { url: `${origin}/token?api-version=2.0`, requestToken },
    requests,
    leases,
    get tokens() {
      return [...issued.keys()]
    },
    faults: () => [...faults, ...waiting.map(({ on }) => `the script expected a ${on} request that never came`)],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A credential answer as the broker seals it; ends at the same time whenever it is made. */
export function exchangeAnswer(
  credentials: Record<
    string,
    { values: Record<string, CredentialValue>; provider?: string; revocation?: string; format?: string }
  >,
  { lease = "lease-1", expires_at = "2031-05-06T07:08:09.000Z" } = {},
): unknown {
  return {
    lease,
    expires_at,
    credentials: Object.fromEntries(
      Object.entries(credentials).map(([grant, { provider = "aws", revocation = "expires-only", ...rest }]) => [
        grant,
        { provider, expires_at, revocation, ...rest },
      ]),
    ),
  }
}

/** A problem document as the broker sends it. */
export function problem(status: number, code: string, detail: string, more: Record<string, unknown> = {}): Reply {
  const body = { type: "about:blank", title: "x", status, code, detail, request_id: "req-1", ...more }
  return { status, type: "application/problem+json", body }
}

function turnOf(method: string, url: URL): Expected["on"] {
  if (method === "GET" && url.pathname === "/token") return "token"
  if (method === "POST" && url.pathname === "/v1/exchange") return "exchange"
  if (method === "DELETE" && /^\/v1\/leases\/[^/]+$/.test(url.pathname)) return "revoke"
  throw new Error(`a request that the wire does not have: ${method} ${url.pathname}`)
}

interface Asked {
  readonly key: PublicJwk
  readonly lease: string
}

/** The scripted answer, for the lease that was asked for. */
const withLease = (answer: unknown, asked: Asked): unknown =>
  (answer as { lease?: unknown } | null)?.lease === "lease-1"
    ? { ...(answer as Record<string, unknown>), lease: asked.lease }
    : answer

const resolved = async (reply: Reply | undefined): Promise<Reply | undefined> =>
  reply !== undefined && "when" in reply ? resolved(await reply.when()) : reply

async function answer(response: ServerResponse, scripted: Reply | undefined, asked: Asked | null): Promise<void> {
  const reply = await resolved(scripted)
  if (reply === undefined || "when" in reply) throw new Error("a request for which the script has no reply")
  if ("reset" in reply) {
    response.socket?.resetAndDestroy()
  } else if ("status" in reply) {
    const body = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body)
    response.writeHead(reply.status, { "content-type": reply.type ?? "application/json", ...reply.headers }).end(body)
  } else {
    if (asked === null) throw new Error("a sealed reply to a request without a key")
    const to = "sealedTo" in reply ? reply.sealedTo : asked.key
    const bytes =
      "sealedBytes" in reply
        ? reply.sealedBytes
        : jsonBytes(withLease("sealed" in reply ? reply.sealed : reply.plaintext, asked))
    const jwe = await new CompactEncrypt(bytes)
      .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM" })
      .encrypt({ ...to })
    response.writeHead(200, { "content-type": "application/jose" }).end(jwe)
  }
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function unsignedToken(audience: string, claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const signature = randomBytes(256).toString("base64url")
  return `${part({ alg: "RS256", typ: "JWT" })}.${part({ aud: audience, jti: randomUUID(), ...claims })}.${signature}`
}

function readBearer(request: IncomingMessage): string {
  const match = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")
  return match?.[1] ?? ""
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ""
  request.setEncoding("utf8")
  for await (const chunk of request) text += chunk
  return text
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port))
  })
}

function require(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`unexpected: ${otherwise}`)
}
