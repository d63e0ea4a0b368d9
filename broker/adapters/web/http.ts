import { isHttpsOrLoopback } from "../../core/url.ts"
import { type Http, HttpError, type HttpRequest, type HttpResponse } from "../../ports/http.ts"

export interface HttpOptions {
  /** Sent with each request that brings no `User-Agent` of its own: workerd sends none, and GitHub refuses without. */
  readonly userAgent: string
}

/**
 * The Http port over the runtime's own `fetch`, the same in Node and in workerd.
 *
 * Dials https, and http on this very machine only; anything else is `unreachable` without a connection. Keeps no
 * cookies and no cache, follows no redirect, and stops reading at `maxBytes` and at `timeoutMs`, whatever the server
 * announced. Errors carry neither URL, headers nor body: of the runtime's own error only its code is kept.
 * @throws {HttpError}
 */
export function createHttp({ userAgent }: HttpOptions): Http {
  return async (request) => {
    if (!isHttpsOrLoopback(request.url)) throw new HttpError("unreachable", { cause: new Error("URL_NOT_ALLOWED") })
    const signal = AbortSignal.timeout(request.timeoutMs)
    try {
      const response = await fetch(request.url, {
        method: request.method,
        headers: headersOf(request, userAgent),
        redirect: "manual",
        signal,
        ...(request.body === undefined ? {} : { body: request.body as NonNullable<RequestInit["body"]> }),
      })
      return await read(response, request, signal)
    } catch (error) {
      if (error instanceof HttpError) throw error
      throw new HttpError(signal.aborted ? "timeout" : "unreachable", causeOf(error))
    }
  }
}

function headersOf(request: HttpRequest, userAgent: string): Headers {
  const headers = new Headers(request.headers)
  if (!headers.has("user-agent")) headers.set("user-agent", userAgent)
  return headers
}

async function read(response: Response, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const refusal = refusalOf(response, request)
  if (refusal) {
    abandon(response.body?.cancel())
    throw refusal
  }
  const body = await readBody(response.body?.getReader(), request.maxBytes, signal)
  return { status: response.status, header: (name) => response.headers.get(name), body }
}

/** Why an answer is not worth reading, which its status and headers tell. */
function refusalOf(response: Response, request: HttpRequest): HttpError | null {
  const { status } = response
  const type: string = response.type
  // 304 answers a conditional request and points nowhere; to any other it is no answer.
  const isNotModified = status === 304 && new Headers(request.headers).has("if-none-match")
  if (isNotModified) return null
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) return new HttpError("redirect")
  return Number(response.headers.get("content-length") ?? 0) > request.maxBytes ? new HttpError("too-large") : null
}

/** Counts what arrives, decompressed: `Content-Length` can lie, be missing, or tell the size of a bomb before it goes off. */
async function readBody(reader: BodyReader | undefined, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Not left to the signal given to fetch alone: a server that stalls in the middle of a body must not outlast it.
  const stop = () => abandon(reader?.cancel())
  signal.addEventListener("abort", stop)
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      size += part.value.byteLength
      if (size > maxBytes) throw new HttpError("too-large")
      chunks.push(part.value)
    }
    if (signal.aborted) throw new HttpError("timeout")
    return join(chunks, size)
  } catch (error) {
    stop()
    throw error
  } finally {
    signal.removeEventListener("abort", stop)
  }
}

type BodyReader = ReadableStreamDefaultReader<Uint8Array>

/** Lets a body go that nobody will read; whether that works is of no interest any more. */
function abandon(cancelled: Promise<unknown> | undefined): void {
  cancelled?.catch(() => undefined)
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const body = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    body.set(chunk, offset)
    offset += chunk.byteLength
  }
  return body
}

/** The system's code for what went wrong, such as `ECONNREFUSED`. Messages are dropped: they quote URLs and headers. */
function causeOf(error: unknown): ErrorOptions {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  return typeof code === "string" ? { cause: new Error(code) } : {}
}
