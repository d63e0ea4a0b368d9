import type { Fields } from "./answer.ts"

/**
 * Sets the headers of every answer. They stop browsers from storing, framing, sniffing or running it; a route may allow
 * caching, and a page what it shows. `x-request-id` is the id of the request's line in the log.
 */
export function setSecureHeaders(headers: Fields, requestId: string): void {
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store")
  headers.set("x-content-type-options", "nosniff")
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", "default-src 'none'")
  headers.set("x-request-id", requestId)
}
