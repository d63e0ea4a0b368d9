/** One outgoing request. Every request states its own limits; there are no defaults that a caller could forget. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Limit from the call to the last byte of the body, in milliseconds. */
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

/**
 * `redirect`: the server answered with a redirect. Redirects are never followed: they would send bearer tokens to hosts
 * that no configuration lists.
 */
export type HttpFailure = "unreachable" | "timeout" | "too-large" | "redirect"

/** Why a request failed. Contains neither URL nor body: both may hold a secret. */
export class HttpError extends Error {
  override readonly name = "HttpError"
  readonly reason: HttpFailure

  constructor(reason: HttpFailure, options?: ErrorOptions) {
    super(`the request failed: ${reason}`, options)
    this.reason = reason
  }
}

/**
 * Sends one request and reads the whole answer, for any status below 300 or from 400 up, and for 304 when the request has
 * `if-none-match`.
 *
 * Sends Daypass's `User-Agent`. Never follows a redirect, never retries, never sends cookies.
 * @throws {HttpError}
 */
export type Http = (request: HttpRequest) => Promise<HttpResponse>
