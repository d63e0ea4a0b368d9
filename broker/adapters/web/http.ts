import { type Http, HttpError, type HttpRequest, type HttpResponse } from "../../ports/http.ts"
import { causeOf, joined, refusalOf, requireAllowed } from "./http-rules.ts"

export interface HttpOptions {
  /** Sent with each request that has no `User-Agent`: workerd sends none, and GitHub refuses requests without one. */
  readonly userAgent: string
  /**
   * Which addresses a request may go to, on Node. `public`: public ones alone. `private`: all but those of this machine and its
   * link. Left out: all. Use `public` or `private` for a URL that somebody gives to receive something, such as an alert. A host that
   * names this machine (`localhost`) is always allowed. workerd ignores this: a Worker reaches no private network.
   */
  readonly reach?: "public" | "private"
}

/**
 * The Http port with the runtime's `fetch`, the same in Node and in workerd.
 *
 * Connects only to https, and to http on this machine; any other URL is `unreachable` without a connection. Keeps no
 * cookies and no cache, follows no redirect, and stops reading at `maxBytes` and at `timeoutMs`, whatever the server
 * announced. Errors contain neither URL, headers nor body: only the code of the runtime's error is kept.
 * @throws {HttpError}
 */
export function createHttp({ userAgent }: HttpOptions): Http {
  return async (request) => {
    requireAllowed(request)
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
  const type: string = response.type
  const refusal =
    type === "opaqueredirect"
      ? new HttpError("redirect")
      : refusalOf(request, response.status, response.headers.get("content-length"))
  if (refusal) {
    abandon(response.body?.cancel())
    throw refusal
  }
  const body = await readBody(response.body?.getReader(), request.maxBytes, signal)
  return { status: response.status, header: (name) => response.headers.get(name), body }
}

/** Counts the decompressed bytes that arrive: `Content-Length` can be wrong, missing, or the compressed size of a bomb. */
async function readBody(reader: BodyReader | undefined, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  // The signal of fetch is not enough: a server that stalls in the middle of a body must not exceed the timeout.
  const stop = () => abandon(reader?.cancel())
  signal.addEventListener("abort", stop)
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      size += part.value.byteLength
      if (size > maxBytes) throw new HttpError("too-large")
      chunks.push(part.value)
    }
    if (signal.aborted) throw new HttpError("timeout")
    return joined(chunks, size)
  } catch (error) {
    stop()
    throw error
  } finally {
    signal.removeEventListener("abort", stop)
  }
}

type BodyReader = ReadableStreamDefaultReader<Uint8Array>

/** Cancels a body that will not be read, and ignores failures of that. */
function abandon(cancelled: Promise<unknown> | undefined): void {
  cancelled?.catch(() => undefined)
}
