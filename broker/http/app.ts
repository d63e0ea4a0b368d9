import { type Context, Hono } from "hono"
import { BrokerError } from "../core/errors.ts"
import type { Broker } from "../exchange/broker.ts"
import { explain } from "../exchange/explain.ts"
import { forOneCall } from "../exchange/one-call.ts"
import { revoke } from "../exchange/revoke.ts"
import type { RequestEvent } from "../ports/log.ts"
import { discoveryDocument, JWKS_PATH } from "../signing/discovery.ts"
import { SIGN_IN_PATH } from "../wire/sign-in.ts"
import { asResponse } from "./answer.ts"
import { readForm, readJson } from "./body.ts"
import { answerExchange, type Client, callOf, callWith, EXCHANGE_PATH } from "./exchange-route.ts"
import { frontPage, wantsPage } from "./front-page.ts"
import { type Incoming, incomingOf } from "./incoming.ts"
import { RESOURCE_METADATA_PATH, resourceMetadata, SERVER_METADATA_PATH, serverMetadata } from "./metadata.ts"
import { observed, refusal } from "./observed.ts"
import { OCTO_STS_PATH, octoStsRefusal, octoStsResponse, readOctoSts } from "./octo-sts.ts"
import { exchangeOneToken } from "./one-token.ts"
import { faultOf } from "./problem.ts"
import { bearerOf, leaseOf, parseExchange, refuseQuery } from "./request.ts"
import { signInDocument } from "./sign-in.ts"
import { parseTokenRequest, TOKEN_PATH, tokenRefusal, tokenResponse } from "./token.ts"

/** What the runtime provides to the app. */
export interface AppOptions {
  readonly broker: Broker
  /**
   * The only host that is answered, with its port if it has one. At the edge, a Worker can be reached under addresses that
   * the rules of the operator's zone do not cover. Left out behind a proxy, which may change the host.
   */
  readonly host?: string
  /** The client's address; null when the runtime does not know it. Never read from a header that a client can set. */
  clientAddress(context: Context): string | null
  /** Whether the client has ended the connection. */
  isGone(context: Context): boolean
  /** Loads the routes of operators. Left out where there is nothing to operate: for `daypass exec --local`. */
  operate?(): Promise<OperateApp>
}

/** The routes of operators. What it throws is answered by the app around it. */
export interface OperateApp {
  fetch(request: Request, client: Client, event: RequestEvent): Promise<Response>
}

const OPERATE_PATHS = ["/v1/operate/*", "/metrics", "/console", "/console/*", "/v1/hooks/github"]

/** How long clients may cache the discovery document and the key set: much shorter than a key is published before use. */
const PUBLIC_MAX_AGE_SECONDS = 300

const METHODS: Readonly<Record<string, string>> = {
  [EXCHANGE_PATH]: "POST",
  "/v1/explain": "POST",
  "/v1/leases/:id": "DELETE",
  [TOKEN_PATH]: "POST",
  [OCTO_STS_PATH]: "GET, POST",
  "/.well-known/openid-configuration": "GET",
  [SERVER_METADATA_PATH]: "GET",
  [RESOURCE_METADATA_PATH]: "GET",
  [JWKS_PATH]: "GET",
  [SIGN_IN_PATH]: "GET",
  "/healthz": "GET",
}

type Env = { Variables: { event: RequestEvent } }

/** The broker's routes. Each one reads its request, calls one function of `exchange/`, and answers. */
export function createApp(options: AppOptions): Hono<Env> {
  const { broker } = options
  const app = new Hono<Env>()

  app.use(async (context, next) => {
    await observed(broker, async (event) => {
      context.set("event", event)
      const isOurs = options.host === undefined || new URL(context.req.url).host === options.host
      if (isOurs) await next()
      else context.res = refuse(context, WRONG_HOST)
      return context.res
    })
  })

  const read = (context: Context<Env>): readonly [Incoming, Client, RequestEvent] => [
    incomingOf(context.req.raw),
    { clientAddress: options.clientAddress(context), isGone: () => options.isGone(context) },
    context.get("event"),
  ]

  app.post(EXCHANGE_PATH, async (context) => asResponse(await answerExchange(...read(context), broker)))

  app.post("/v1/explain", async (context) => {
    const [incoming, client, event] = read(context)
    const call = callOf(incoming, client, event, "explain")
    const request = await parseExchange(await readJson(incoming), broker.cryptography)
    return Response.json(await explain({ ...call, ...request }, broker))
  })

  app.delete("/v1/leases/:id", async (context) => {
    const call = callOf(...read(context), "revoke")
    return Response.json(await revoke({ ...call, lease: leaseOf(context.req.param("id")) }, forOneCall(broker)))
  })

  app.post(TOKEN_PATH, async (context) => {
    const [incoming, client, event] = read(context)
    event.route = "token"
    try {
      refuseQuery(incoming)
      const request = parseTokenRequest(await readForm(incoming))
      const call = callWith(request.subjectToken, incoming, client, event)
      return tokenResponse(request, await exchangeOneToken(call, request, broker))
    } catch (error) {
      Object.assign(event, faultOf(error))
      return tokenRefusal(error, event.request_id)
    }
  })

  app.on(["GET", "POST"], OCTO_STS_PATH, async (context) => {
    const [incoming, client, event] = read(context)
    event.route = "octo-sts"
    try {
      const request = await readOctoSts(context.req.raw, broker.url)
      const call = callWith(bearerOf(incoming), incoming, client, event)
      return octoStsResponse(await exchangeOneToken(call, request, broker))
    } catch (error) {
      Object.assign(event, faultOf(error))
      return octoStsRefusal(error)
    }
  })

  for (const [path, metadata] of [
    [SERVER_METADATA_PATH, serverMetadata(broker.url)],
    [RESOURCE_METADATA_PATH, resourceMetadata(broker.url)],
  ] as const) {
    app.get(path, (context) => {
      context.get("event").route = "discovery"
      return publicJson(metadata)
    })
  }

  app.get("/.well-known/openid-configuration", (context) => {
    context.get("event").route = "discovery"
    return publicJson(discoveryDocument(broker.url))
  })

  app.get(JWKS_PATH, async (context) => {
    context.get("event").route = "jwks"
    return publicJson({ keys: await broker.signer.publicKeys() })
  })

  app.get(SIGN_IN_PATH, async (context) => {
    context.get("event").route = "sign-in"
    const { organisation } = await broker.policySource.snapshot()
    return publicJson(signInDocument(organisation))
  })

  app.get("/healthz", async (context) => {
    context.get("event").route = "healthz"
    // Some sources load policies on the first call only: without this one, a new broker would be unhealthy until its first
    // job. A load error is left to the status below and to the answers of exchanges.
    await broker.policySource.snapshot().catch(() => null)
    const policies = broker.policySource.status()
    const parts = await Promise.all(broker.health.map(async (check) => [check.part, await check.look()] as const))
    const states = [policies.version === null ? "unavailable" : "ok", ...parts.map(([, { state }]) => state)]
    const status =
      ["unavailable", "degraded"].find((state) => states.includes(state as (typeof states)[number])) ?? "ok"
    const answer = { status, policies, parts: Object.fromEntries(parts) }
    return Response.json(answer, { status: status === "unavailable" ? 503 : 200 })
  })

  app.get("/", (context) => {
    if (!wantsPage(context.req.header("accept") ?? null)) return refuse(context, NO_SUCH_PATH)
    context.get("event").route = "front-page"
    return frontPage(broker.url, options.operate !== undefined)
  })

  let operating: OperateApp | undefined
  for (const path of options.operate ? OPERATE_PATHS : []) {
    app.all(path, async (context) => {
      const [, client, event] = read(context)
      event.route = "operate"
      const loaded = operating ?? (await options.operate?.())
      // Kept once, also when two first requests come together: it remembers which proofs were used.
      operating ??= loaded
      return await operating?.fetch(context.req.raw, client, event)
    })
  }

  for (const [path, method] of Object.entries(METHODS)) {
    app.all(path, (context) => {
      const refusal = refuse(
        context,
        new BrokerError("method_not_allowed", `Use the method ${method.replace(", ", " or ")} for this path.`),
      )
      refusal.headers.set("allow", method)
      return refusal
    })
  }

  // Returns an answer instead of throwing: an error thrown here would skip the middleware above, with its headers and log line.
  app.notFound((context) => refuse(context, NO_SUCH_PATH))

  app.onError((error, context) => refuse(context, error))

  return app
}

const NO_SUCH_PATH = new BrokerError(
  "route_not_found",
  "This path does not exist. docs/wire.md lists the broker's paths.",
)

const WRONG_HOST = new BrokerError("wrong_host", "Use the host of the broker's own URL, its DAYPASS_URL.")

const refuse = (context: Context<Env>, error: unknown): Response => asResponse(refusal(error, context.get("event")))

function publicJson(body: object): Response {
  return Response.json(body, { headers: { "cache-control": `public, max-age=${PUBLIC_MAX_AGE_SECONDS}` } })
}
