/** One outgoing request. Every request states its own bounds; there is no default that could be forgotten. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** From the call to the last byte of the body, in milliseconds. */
  readonly timeoutMs: number
  /** The largest body that is read, in bytes. */
  readonly maxBytes: number
}

export interface HttpResponse {
  readonly status: number
  /** A header's value, by name in any case; null when absent. */
  header(name: string): string | null
  readonly body: Uint8Array
}

/** `redirect`: the server pointed elsewhere. Redirects are never followed: they carry bearers to hosts nobody listed. */
export type HttpFailure = "unreachable" | "timeout" | "too-large" | "redirect"

/** What a request failed of. Carries no URL and no body: either may hold a secret. */
export class HttpError extends Error {
  override readonly name = "HttpError"
  readonly reason: HttpFailure

  constructor(reason: HttpFailure, options?: ErrorOptions) {
    super(`the request failed: ${reason}`, options)
    this.reason = reason
  }
}

/**
 * Sends one request and reads the whole answer, whatever its status below 300 or from 400 up. 304 is an answer too, to
 * a request with `if-none-match`.
 *
 * Sends our `User-Agent`. Never follows a redirect, never retries, never sends cookies.
 * @throws {HttpError}
 */
export type Http = (request: HttpRequest) => Promise<HttpResponse>
