import { isHttpsOrLoopback } from "../../core/url.ts"
import { HttpError, type HttpRequest } from "../../ports/http.ts"

// What every adapter of the Http port refuses, and what it says of a failure.

/** @throws {HttpError} `unreachable` for a URL that is neither https nor http on this machine */
export function requireAllowed({ url }: Pick<HttpRequest, "url">): void {
  if (!isHttpsOrLoopback(url)) throw new HttpError("unreachable", { cause: new Error("URL_NOT_ALLOWED") })
}

/** Why an answer is refused by its status and its `Content-Length`, before its body is read; null when it is not. */
export function refusalOf(
  request: Pick<HttpRequest, "headers" | "maxBytes">,
  status: number,
  contentLength: string | null,
): HttpError | null {
  // 304 is a valid answer only to a conditional request. To any other request it counts as a redirect.
  if (status === 304 && hasHeader(request, "if-none-match")) return null
  if (status >= 300 && status < 400) return new HttpError("redirect")
  return Number(contentLength ?? 0) > request.maxBytes ? new HttpError("too-large") : null
}

/** Whether the request has a header. `name` is in lower case. */
export const hasHeader = ({ headers = {} }: Pick<HttpRequest, "headers">, name: string): boolean =>
  Object.keys(headers).some((each) => each.toLowerCase() === name)

/** The system's error code, such as `ECONNREFUSED`. Messages are dropped: they quote URLs and headers. */
export function causeOf(error: unknown): ErrorOptions {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  return typeof code === "string" ? { cause: new Error(code) } : {}
}

/** The pieces of a body as one; `size` is the sum of their bytes. */
export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const body = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    body.set(chunk, offset)
    offset += chunk.byteLength
  }
  return body
}
