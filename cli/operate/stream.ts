import type { IncomingMessage } from "node:http"
import type { Readable } from "node:stream"
import { type HttpReply, type HttpRequest, open } from "../../action/http.ts"
import { HttpFailure } from "../../action/http-failure.ts"
import { whyFailed } from "../../action/http-fault.ts"
import { refusalIn, unreachable } from "../../action/refusal.ts"
import { userAgent } from "../../action/runner.ts"

/** Much longer than any problem document. */
const MAX_PROBLEM_BYTES = 256 * 1024

/**
 * One call to the broker whose answer may be long: it is read as it comes, and only its head has to come in time.
 *
 * @throws {ActionError} one of the broker's codes, or `broker_*`
 */
export async function streamFrom(broker: string, request: HttpRequest): Promise<Readable> {
  const call = await open(request)
  call.setHeader("accept", request.accept)
  call.setHeader("user-agent", userAgent())
  call.setHeader("authorization", `Bearer ${request.bearer}`)
  if (request.dpop !== undefined) call.setHeader("dpop", request.dpop)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(unreachable(broker, new HttpFailure("timeout")))
      call.destroy()
    }, request.timeoutMs)
    call.on("response", (answered) => {
      clearTimeout(timer)
      resolve(answered)
    })
    call.on("error", (cause) => {
      clearTimeout(timer)
      reject(unreachable(broker, whyFailed(cause, request.url)))
    })
    call.end()
  })
  const { statusCode: status = 0 } = response
  if (status >= 200 && status < 300) return response
  throw refusalIn(broker, await replyOf(response, status))
}

async function replyOf(response: IncomingMessage, status: number): Promise<HttpReply> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length <= MAX_PROBLEM_BYTES) chunks.push(chunk)
  }
  const mediaType = (response.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? ""
  return { status, mediaType, retryAfter: response.headers["retry-after"], body: Buffer.concat(chunks) }
}
