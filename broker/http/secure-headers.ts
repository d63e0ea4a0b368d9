/**
 * The headers of every answer: nothing that this broker says may be kept, framed, sniffed or run by a browser, unless a
 * route says otherwise of keeping. The request id is the one under which the log tells of the request.
 */
export function setSecureHeaders(headers: Headers, requestId: string): void {
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store")
  headers.set("x-content-type-options", "nosniff")
  headers.set("content-security-policy", "default-src 'none'")
  headers.set("x-request-id", requestId)
}
