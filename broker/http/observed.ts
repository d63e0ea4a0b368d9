import type { Broker } from "../exchange/broker.ts"
import type { RequestEvent } from "../ports/log.ts"
import type { Metrics } from "../ports/metrics.ts"
import { type ErrorCode, PROBLEMS } from "../wire/error-codes.ts"
import type { Answer, Fields } from "./answer.ts"
import { faultOf, problemAnswer } from "./problem.ts"
import { setSecureHeaders } from "./secure-headers.ts"

/** Gives a request its id, and writes its line in the log when it is answered, whatever the answer is. */
export async function observed<Sent extends { readonly status: number; readonly headers: Fields }>(
  { clock, log, metrics }: Pick<Broker, "clock" | "log" | "metrics">,
  act: (event: RequestEvent) => Promise<Sent>,
): Promise<Sent> {
  const startedAt = clock.elapsed()
  const event: RequestEvent = { request_id: crypto.randomUUID(), route: "unknown" }
  const sent = await act(event)
  event.status = sent.status
  event.duration_ms = clock.elapsed() - startedAt
  setSecureHeaders(sent.headers, event.request_id)
  count(event, event.duration_ms, metrics)
  log(event)
  return sent
}

function count({ route, code = "ok" }: RequestEvent, milliseconds: number, metrics: Metrics): void {
  metrics.count("requests", { route, code })
  if (!EXCHANGING.has(route)) return
  metrics.count("exchanges", { outcome: code === "ok" ? "minted" : outcomeOf(code as ErrorCode), code })
  metrics.exchanged(milliseconds)
}

/** The routes that exchange, by the words of the log. */
const EXCHANGING: ReadonlySet<string> = new Set(["exchange", "token", "octo-sts"])

/** `denied`: by policy. `refused`: the request or its token. `failed`: the broker, a provider or an issuer. */
function outcomeOf(code: ErrorCode): "denied" | "refused" | "failed" {
  const { status } = PROBLEMS[code]
  return status >= 500 || code === "client_gone" ? "failed" : status === 403 ? "denied" : "refused"
}

/** The answer to a request that failed. Its line in the log says why. */
export function refusal(error: unknown, event: RequestEvent): Answer {
  Object.assign(event, faultOf(error))
  return problemAnswer(error, event.request_id)
}
