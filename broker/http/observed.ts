import type { Broker } from "../exchange/broker.ts"
import type { RequestEvent } from "../ports/log.ts"
import type { Answer, Fields } from "./answer.ts"
import { faultOf, problemAnswer } from "./problem.ts"
import { setSecureHeaders } from "./secure-headers.ts"

/** Gives a request its id, and writes its line in the log when it is answered, whatever the answer is. */
export async function observed<Sent extends { readonly status: number; readonly headers: Fields }>(
  { clock, log }: Pick<Broker, "clock" | "log">,
  act: (event: RequestEvent) => Promise<Sent>,
): Promise<Sent> {
  const startedAt = clock.elapsed()
  const event: RequestEvent = { request_id: crypto.randomUUID(), route: "unknown" }
  const sent = await act(event)
  event.status = sent.status
  event.duration_ms = clock.elapsed() - startedAt
  setSecureHeaders(sent.headers, event.request_id)
  log(event)
  return sent
}

/** The answer to a request that failed. Its line in the log says why. */
export function refusal(error: unknown, event: RequestEvent): Answer {
  Object.assign(event, faultOf(error))
  return problemAnswer(error, event.request_id)
}
