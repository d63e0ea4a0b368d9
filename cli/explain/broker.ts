import { fail, ok, type Result } from "../../broker/core/result.ts"
import { parsePlainUrl } from "../../broker/core/url.ts"
import { HttpError, type HttpFailure, type HttpResponse } from "../../broker/ports/http.ts"
import { type ExchangeRequest, MEDIA_TYPE_PROBLEM } from "../../broker/wire/exchange.ts"
import type { CliIo } from "../io.ts"
import type { ReadToken } from "../subject-token.ts"
import { type ReadAnswer, readExplainAnswer, readProblem } from "./answer.ts"

const TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 256 * 1024

/** Parses a broker's URL. Null unless it is an origin without a path, and a token may be sent to it. */
export function brokerUrl(text: string): URL | null {
  const url = parsePlainUrl(text)
  return url?.pathname === "/" ? url : null
}

/**
 * Asks a broker what this token would get. The broker mints nothing, and the token can still be used. The fault's lines say
 * why there is no decision. One call, no retry, no redirect: the token is sent only to the broker that was named.
 */
export async function askBroker(
  broker: URL,
  token: ReadToken,
  request: ExchangeRequest,
  io: CliIo,
): Promise<Result<ReadAnswer, readonly string[]>> {
  let response: HttpResponse
  try {
    response = await io.http({
      method: "POST",
      url: new URL("/v1/explain", broker).href,
      headers: {
        authorization: `Bearer ${token.text}`,
        "content-type": "application/json",
        accept: `application/json, ${MEDIA_TYPE_PROBLEM}`,
      },
      body: JSON.stringify(request),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    })
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    return fail([`daypass: the broker at ${broker.origin} ${TRANSPORT[error.reason]}`])
  }
  return read(response, broker, token, request.grants)
}

const TRANSPORT: Readonly<Record<HttpFailure, string>> = {
  unreachable: "cannot be reached",
  timeout: `did not answer within ${TIMEOUT_MS / 1000} s`,
  "too-large": "sent an answer that is too large to come from a broker",
  redirect: "redirects to another address, and the token is not sent there: name the broker's final address",
}

function read(
  response: HttpResponse,
  broker: URL,
  token: ReadToken,
  grants: readonly string[],
): Result<ReadAnswer, readonly string[]> {
  const { status } = response
  const mediaType = response.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase()
  const value = parseJson(response.body)
  const no = (what: string, ...more: readonly string[]) =>
    fail([`daypass: the broker at ${broker.origin} ${what}`, ...more])
  if (repeats(value, token)) return no("repeats the token in its answer, so the answer is not shown")

  if (status === 200 && mediaType === "application/json") {
    const answer = readExplainAnswer(value, grants)
    return answer === null ? no("sent an answer that does not match the request") : ok(answer)
  }
  const problem = mediaType === MEDIA_TYPE_PROBLEM ? readProblem(value) : null
  if (problem === null)
    return no(`answered HTTP ${status} without a reason: is there a Daypass broker at that address?`)
  const { title, code, detail, request_id: id } = problem
  return no(`refused: ${title} (${code}, HTTP ${status})`, detail, ...(id === undefined ? [] : [`request id ${id}`]))
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

/** A proxy may echo the request, and printing that would leak the token. Its signature is what makes it a credential. */
function repeats(value: unknown, { text }: ReadToken): boolean {
  const signature = text.slice(text.lastIndexOf(".") + 1)
  return JSON.stringify(value)?.includes(signature) ?? false
}
