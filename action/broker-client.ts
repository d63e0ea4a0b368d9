import {
  type ExchangeRequest,
  MEDIA_TYPE_JOSE,
  MEDIA_TYPE_PROBLEM,
  type RevokeAnswer,
} from "../broker/wire/exchange.ts"
import { type Connection, connect, type HttpReply, type HttpRequest, type HttpTarget, send, typeOf } from "./http.ts"
import { HttpFailure } from "./http-failure.ts"
import { debug } from "./runner.ts"

/** Makes the DPoP proof of one call. */
export type Prove = (call: Pick<HttpTarget, "method" | "url">) => string

/** Opens a connection for `requestExchange`. */
export const connectToBroker = (broker: string, timeoutMs: number): Connection =>
  connect({ method: "POST", url: exchangeUrl(broker), timeoutMs })

export const exchangeUrl = (broker: string) => new URL("/v1/exchange", broker)

/**
 * `POST /v1/exchange`: one call, no retry. Returns the compact JWE as received; only the job's key decrypts it.
 * @throws {ActionError} one of the broker's codes, or `broker_*`, `answer_*`, `problem_unknown`
 */
export async function requestExchange(
  broker: string,
  token: string,
  request: ExchangeRequest & Required<Pick<ExchangeRequest, "key" | "lease">>,
  timeoutMs: number,
  { connection, prove }: { readonly connection?: Connection; readonly prove?: Prove } = {},
): Promise<string> {
  const target = { method: "POST", url: exchangeUrl(broker), timeoutMs } as const
  const accept = `${MEDIA_TYPE_JOSE}, ${MEDIA_TYPE_PROBLEM}`
  const call = { ...target, bearer: token, accept, json: request, ...(prove && { dpop: prove(target) }) }
  const reply = await callBroker(broker, call, connection)
  if (reply.mediaType === MEDIA_TYPE_JOSE) return reply.body.toString("latin1")
  throw (await import("./refusal.ts")).notSealed(broker, reply)
}

/**
 * `DELETE /v1/leases/{id}`: one call, no retry. Returns the outcome for each credential, and whether the record is due.
 * @throws {ActionError} one of the broker's codes, or `broker_*`, `answer_unusable` when the answer is not a broker's,
 *   `problem_unknown`
 */
export async function requestRevocation(
  broker: string,
  token: string,
  lease: string,
  timeoutMs: number,
  prove?: Prove,
): Promise<Omit<RevokeAnswer, "lease">> {
  const target = {
    method: "DELETE",
    url: new URL(`/v1/leases/${encodeURIComponent(lease)}`, broker),
    timeoutMs,
  } as const
  const accept = `application/json, ${MEDIA_TYPE_PROBLEM}`
  const reply = await callBroker(broker, { ...target, bearer: token, accept, ...(prove && { dpop: prove(target) }) })
  return (await import("./revocation-answer.ts")).revocationIn(broker, reply)
}

/**
 * One call to the broker, no retry. Resolves to an answer of 2xx.
 * @throws {ActionError} one of the broker's codes, or `broker_*`, `answer_unusable`, `problem_unknown`
 */
export async function callBroker(broker: string, request: HttpRequest, connection?: Connection): Promise<HttpReply> {
  const reply = await sendToBroker(broker, request, connection)
  debug(() => [`${request.method} ${request.url.pathname}: HTTP ${reply.status}, ${typeOf(reply)}`])
  if (reply.status >= 200 && reply.status < 300) return reply
  throw (await import("./refusal.ts")).refusalIn(broker, reply)
}

async function sendToBroker(broker: string, request: HttpRequest, connection?: Connection): Promise<HttpReply> {
  try {
    return await send(request, connection)
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown
    throw (await import("./refusal.ts")).unreachable(broker, thrown)
  }
}
