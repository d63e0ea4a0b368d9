import { createECDH, hash } from "node:crypto"
import { once } from "node:events"
import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http"
import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, describe, expect, it } from "vitest"
import { openJwe } from "../../action/jwe.ts"
import { startListening } from "../../broker/entry/node-listener.ts"
import { createApp } from "../../broker/http/app.ts"
import { createExchangeRoute } from "../../broker/http/exchange-route.ts"
import { type WorldOptions, world } from "../core/exchange/world.ts"

const ends = new AsyncDisposableStack()
afterAll(() => ends.disposeAsync())

/** A broker behind both ways: Node's listener with its own route for exchanges, and the app as the edge serves it. */
async function bothWays(options: Partial<WorldOptions> = {}) {
  const { broker, events } = await world({ grants: { one: "expires-only" }, ...options })
  const app = createApp({ broker, clientAddress: () => "127.0.0.1", isGone: () => false })
  const listener = await startListening(app, createExchangeRoute(broker), { port: 0, hostname: "127.0.0.1" })
  ends.defer(() => listener.stop())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  ends.defer(() => agent.destroy())

  async function byNode({ method = "POST", path = "/v1/exchange", headers, body }: Sent): Promise<Seen> {
    const sending = request({ port: listener.port, method, path, agent, headers })
    sending.end(body)
    const [answer] = (await once(sending, "response")) as [IncomingMessage]
    const chunks = await answer.toArray()
    const fields = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)])
    return seen(answer.statusCode ?? 0, fields, Buffer.concat(chunks).toString(), events)
  }
  async function byApp({ method = "POST", path = "/v1/exchange", headers, body }: Sent): Promise<Seen> {
    const init = { method, headers: headers as Record<string, string>, ...(body === undefined ? {} : { body }) }
    const answer = await app.fetch(new Request(`http://127.0.0.1:${listener.port}${path}`, init))
    return seen(answer.status, [...answer.headers], await answer.text(), events)
  }
  return { byNode, byApp, listener, events }
}

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers: OutgoingHttpHeaders
  readonly body?: string | Uint8Array<ArrayBuffer>
}

interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The request's line in the log. */
  readonly event: unknown
}

/** What Node's server adds for the connection. */
const OF_THE_CONNECTION = new Set(["connection", "content-length", "date", "keep-alive", "transfer-encoding"])
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g

function seen(status: number, fields: readonly [string, string][], body: string, events: unknown[]): Seen {
  const headers = Object.fromEntries(fields.filter(([name]) => !OF_THE_CONNECTION.has(name)).sort())
  const id = headers["x-request-id"]
  const event = events.find((one) => (one as { request_id?: string }).request_id === id)
  expect(event, "every request has one line in the log").toBeDefined()
  return JSON.parse(JSON.stringify({ status, headers, body, event }).replace(ID, "ID"))
}

const GOOD = { authorization: "Bearer token", "content-type": "application/json" }
const ONE = JSON.stringify({ grants: ["one"] })
const bytes = (...of: number[]) => Uint8Array.from(of)

describe("an exchange is answered alike by Node's own route and by the app", () => {
  const CASES: readonly (readonly [string, number, Partial<Sent>, Partial<WorldOptions>?])[] = [
    ["when it is granted", 200, {}],
    ["with a character set", 200, { headers: { ...GOOD, "content-type": "Application/JSON; charset=utf-8" } }],
    ["with the scheme in small letters", 200, { headers: { ...GOOD, authorization: "bearer token" } }],
    ["without a token", 401, { headers: { "content-type": "application/json" } }],
    ["with an empty token", 401, { headers: { ...GOOD, authorization: "" } }],
    ["with another scheme", 401, { headers: { ...GOOD, authorization: "Basic token" } }],
    ["with a token that is too long", 401, { headers: { ...GOOD, authorization: `Bearer ${"x".repeat(21_000)}` } }],
    ["in another media type", 415, { headers: { ...GOOD, "content-type": "text/plain" } }],
    ["with half of a body", 400, { body: '{"grants":' }],
    ["without a body", 400, { body: "" }],
    ["with a body that is not UTF-8", 400, { body: bytes(0x22, 0xff, 0x22) }],
    ["with a byte order mark", 400, { body: bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d) }],
    ["with an unknown member", 400, { body: '{"grants":["one"],"more":1}' }],
    ["with a lease of its own and no key", 400, { body: '{"grants":["one"],"lease":"x"}' }],
    ["with a body that is too large", 413, { body: `"${"x".repeat(17_000)}"` }],
    ["with a query", 400, { path: "/v1/exchange?token=x" }],
    ["with two proofs", 401, { headers: { ...GOOD, dpop: "a, b" } }],
    ["by GET", 405, { method: "GET", body: undefined as never }],
    ["by PUT", 405, { method: "PUT" }],
    ["that nobody granted", 403, { body: '{"grants":["other"]}' }],
    ["whose token was used", 401, {}, { alreadyUsed: true }],
    ["whose provider refuses", 502, {}, { grants: { one: "fails" } }],
    ["whose provider is down", 502, {}, { grants: { one: "is-down" } }],
    ["whose provider has a fault", 500, {}, { grants: { one: "breaks" } }],
    ["while nothing can be recorded", 503, {}, { ledgerFails: ["admit"] }],
    ["while no policies are loaded", 503, {}, { policiesFail: true }],
    ["with a fault of the broker's own", 500, {}, { grants: { one: "mints" }, sealerFails: true }],
  ]
  it.each(CASES.map(([name, status, sent, options = {}]) => [name, { status, sent, options }] as const))(
    "%s",
    async (_, { status, sent, options }) => {
      const { byNode, byApp } = await bothWays(options)
      const exchange = { headers: GOOD, body: ONE, ...sent }
      const [node, app] = [await byNode(exchange), await byApp(exchange)]
      expect(node).toEqual(app)
      expect(node.status).toBe(status)
      expect(node.headers).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'",
        "x-content-type-options": "nosniff",
        "x-request-id": "ID",
      })
    },
  )

  it("to a key, whose answer only the key opens", async () => {
    const job = createECDH("prime256v1")
    const point = job.generateKeys()
    const [x, y] = [point.subarray(1, 33).toString("base64url"), point.subarray(33).toString("base64url")]
    const thumbprint = hash("sha256", JSON.stringify({ crv: "P-256", kty: "EC", x, y }), "base64url")
    const { byNode, byApp } = await bothWays({ boundTo: thumbprint })
    const exchange = {
      headers: GOOD,
      body: JSON.stringify({ grants: ["one"], key: { kty: "EC", crv: "P-256", x, y } }),
    }
    const [node, app] = [await byNode(exchange), await byApp(exchange)]
    expect({ ...node, body: "" }).toEqual({ ...app, body: "" })
    expect(node.headers["content-type"]).toBe("application/jose")
    const opened = [node, app].map(({ body }) => openJwe(body, job)?.toString().replace(ID, "ID"))
    expect(opened[0]).toContain("credentials")
    expect(opened[0]).toBe(opened[1])
  })
})

describe("Node's own route", () => {
  it("takes a body without a stated length, and stops reading one that is too large", async () => {
    const { byNode } = await bothWays()
    const headers = { ...GOOD, "transfer-encoding": "chunked" }
    expect(await byNode({ headers, body: ONE })).toMatchObject({ status: 200 })
    expect(await byNode({ headers, body: `"${"x".repeat(1_000_000)}"` })).toMatchObject({ status: 413 })
  })

  it("keeps the connection after a refusal that did not read the body", async () => {
    const { byNode, listener } = await bothWays()
    const socket = connect(listener.port, "127.0.0.1")
    ends.defer(() => void socket.destroy())
    const post = (more: string, body: string) =>
      `POST /v1/exchange HTTP/1.1\r\nhost: broker\r\n${more}content-length: ${body.length}\r\n\r\n${body}`
    const fields = Object.entries(GOOD).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(post("", "x".repeat(5_000)) + post(fields.join(""), ONE))
    const answers = socket.setEncoding("utf8").iterator()
    let text = ""
    for await (const chunk of answers) {
      text += chunk
      if (text.includes("HTTP/1.1 401") && text.includes("HTTP/1.1 200")) break
    }
    expect(text.indexOf("HTTP/1.1 401")).toBeLessThan(text.indexOf("HTTP/1.1 200"))
    expect(await byNode({ headers: GOOD, body: ONE })).toMatchObject({ status: 200 })
  })

  it.each([
    [
      "two tokens",
      "authorization: Bearer token\r\nauthorization: Bearer other\r\ncontent-type: application/json\r\n",
      401,
    ],
    [
      "two media types",
      "authorization: Bearer token\r\ncontent-type: application/json\r\ncontent-type: text/plain\r\n",
      415,
    ],
  ])("refuses a request with %s, of which a proxy may have checked the other", async (_, fields, status) => {
    const { listener } = await bothWays()
    const ask = async (path: string) => {
      const socket = connect(listener.port, "127.0.0.1").setEncoding("utf8")
      ends.defer(() => void socket.destroy())
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: broker\r\nconnection: close\r\n${fields}content-length: ${ONE.length}\r\n\r\n${ONE}`,
      )
      return (await socket.toArray()).join("").slice(0, "HTTP/1.1 000".length)
    }
    expect([await ask("/v1/exchange"), await ask("/v1/explain")]).toEqual(Array(2).fill(`HTTP/1.1 ${status}`))
  })

  it("reads nothing of the host that a client names", async () => {
    const { byNode } = await bothWays()
    const answer = await byNode({ headers: { ...GOOD, host: "no host", dpop: "no proof" }, body: ONE })
    expect(answer).toMatchObject({ status: 401, event: { code: "proof_invalid" } })
  })

  it("refuses a body that ended early, and mints nothing", async () => {
    const { listener, events } = await bothWays()
    const socket = connect(listener.port, "127.0.0.1")
    socket.write(
      `POST /v1/exchange HTTP/1.1\r\nhost: broker\r\n${Object.entries(GOOD)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join("")}content-length: 100\r\n\r\n{"gra`,
    )
    await sleep(50)
    socket.destroy()
    await expect.poll(() => events).toMatchObject([{ route: "exchange", status: 400, code: "request_malformed" }])
  })
})
