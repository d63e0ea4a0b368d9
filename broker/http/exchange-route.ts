import type { Broker } from "../exchange/broker.ts"
import type { Call } from "../exchange/call.ts"
import { exchange } from "../exchange/exchange.ts"
import { forOneCall } from "../exchange/one-call.ts"
import type { RequestEvent } from "../ports/log.ts"
import { MEDIA_TYPE_JOSE } from "../wire/exchange.ts"
import { type Answer, jsonAnswer } from "./answer.ts"
import { readJson } from "./body.ts"
import type { Incoming } from "./incoming.ts"
import { observed, refusal } from "./observed.ts"
import { bearerOf, parseExchange, proofOf, refuseQuery } from "./request.ts"

export const EXCHANGE_PATH = "/v1/exchange"

/** What the runtime knows of a request's client. */
export type Client = Pick<Call, "clientAddress" | "isGone">

/** The call of a request with its subject token in the Authorization header. @throws {BrokerError} */
export function callOf(request: Incoming, client: Client, event: RequestEvent, route: string): Call {
  event.route = route
  refuseQuery(request)
  return callWith(bearerOf(request), request, client, event)
}

/** The call of a request with this subject token. */
export const callWith = (subjectToken: string, request: Incoming, client: Client, event: RequestEvent): Call => ({
  requestId: event.request_id,
  subjectToken,
  ...proofOf(request),
  ...client,
  event,
})

/**
 * Answers an exchange. A plain request gets JSON. A key-bound request gets that JSON inside a compact JWE (ECDH-ES,
 * A256GCM), which only the job's private key can decrypt.
 *
 * @throws {BrokerError}
 */
export async function answerExchange(
  request: Incoming,
  client: Client,
  event: RequestEvent,
  broker: Broker,
): Promise<Answer> {
  const call = callOf(request, client, event, "exchange")
  const asked = await parseExchange(await readJson(request), broker.cryptography)
  const answer = jsonAnswer(await exchange({ ...call, ...asked }, forOneCall(broker)))
  if (asked.key === undefined) return answer
  return {
    ...answer,
    headers: new Map([["content-type", MEDIA_TYPE_JOSE]]),
    body: await asked.key.encrypt(answer.body),
  }
}

/** The exchange as a whole route, for a server that serves it without the app. */
export type ExchangeRoute = (request: Incoming, client: Client) => Promise<Answer>

export const createExchangeRoute =
  (broker: Broker): ExchangeRoute =>
  (request, client) =>
    observed(broker, (event) =>
      answerExchange(request, client, event, broker).catch((error: unknown) => refusal(error, event)),
    )
