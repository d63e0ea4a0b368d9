import { BrokerError } from "../core/errors.ts"
import type { OneToken } from "../providers/provider.ts"
import { PROBLEMS } from "../wire/error-codes.ts"
import { readJson } from "./body.ts"
import { incomingOf } from "./incoming.ts"
import type { OneTokenAnswer, OneTokenCall } from "./one-token.ts"
import { asFault, retryHeaders } from "./problem.ts"
import { GRANT_NAME } from "./request.ts"

/** Where clients of octo-sts exchange their token. */
export const OCTO_STS_PATH = "/sts/exchange"

/** An owner, or an owner and a repository, as GitHub spells them. */
const SCOPE = /^[A-Za-z0-9_-]{1,100}(?:\/[A-Za-z0-9._-]{1,100})?$/

/**
 * Reads a request as octo-sts takes it: `scope` (the owner and repository that the token is for) and `identity` (here: a
 * grant's name), in the query of a GET or POST, or in the JSON of a POST. Other parameters are ignored.
 *
 * Its clients ask for a token whose audience is the server's bare host, so that one counts, too.
 *
 * @throws {BrokerError} `request_malformed`, `method_not_allowed`, and those of `readJson`
 */
export async function readOctoSts(request: Request, brokerUrl: string): Promise<OneTokenCall> {
  // Hono answers HEAD with the headers of GET: it would mint a token, and throw it away.
  if (request.method === "HEAD") throw new BrokerError("method_not_allowed", "Use GET or POST for this path.")
  const query = new URL(request.url).searchParams
  const body =
    request.method === "POST" && request.headers.has("content-type") ? await readJson(incomingOf(request)) : null
  const scope = parameter("scope", query, body)
  const grant = parameter("identity", query, body)
  if (!SCOPE.test(scope)) throw malformed("scope must be OWNER/REPOSITORY, or OWNER")
  if (!GRANT_NAME.test(grant)) throw malformed("identity must be the name of a grant")
  return { grant, audience: new URL(brokerUrl).host, unfit: (token) => outsideOf(scope, grant, token) }
}

function parameter(name: string, query: URLSearchParams, body: unknown): string {
  const inBody = typeof body === "object" && body !== null && Object.hasOwn(body, name)
  const given = [...query.getAll(name), ...(inBody ? [(body as Record<string, unknown>)[name]] : [])]
  const [value] = given
  if (given.length !== 1 || typeof value !== "string") throw malformed(`send ${name} once`)
  return value
}

const malformed = (what: string) => new BrokerError("request_malformed", `The request is malformed: ${what}.`)

/** Why the token is not for the scope; null when it is. GitHub ignores the case of names. */
function outsideOf(scope: string, grant: string, { repositories }: OneToken): BrokerError | null {
  if (repositories === undefined) {
    return malformed(`the grant ${grant} is no token of GitHub; use POST /v1/exchange for it`)
  }
  const wanted = scope.toLowerCase()
  const isInside = repositories.some(
    (one) => one.toLowerCase() === wanted || one.toLowerCase().startsWith(`${wanted}/`),
  )
  if (isInside) return null
  return new BrokerError(
    "not_allowed",
    `The grant ${grant} has no token for ${scope}. Ask for a repository of the grant.`,
  )
}

/** The answer of octo-sts. The lease, with which the token can be revoked here, is in a header. */
export function octoStsResponse({ token, lease }: OneTokenAnswer): Response {
  return Response.json({ token }, { headers: { "daypass-lease": lease } })
}

/** gRPC's codes for HTTP statuses (google.rpc.Code), as octo-sts's gateway sends them in errors. */
const RPC_CODES: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  408: 1,
  409: 6,
  429: 8,
  503: 14,
}
const RPC_INTERNAL = 13
const RPC_INVALID_ARGUMENT = 3

/** A refusal in the form of octo-sts's gateway, whose clients show `message`. It begins with the broker's own code. */
export function octoStsRefusal(error: unknown): Response {
  const fault = asFault(error)
  const { status } = PROBLEMS[fault.code]
  const code = RPC_CODES[status] ?? (status < 500 ? RPC_INVALID_ARGUMENT : RPC_INTERNAL)
  const message = `${fault.code}: ${fault.detail}`
  const headers = retryHeaders(fault)
  if (status === 401) headers.set("www-authenticate", "Bearer")
  return Response.json({ code, message, details: [] }, { status, headers: [...headers] })
}
