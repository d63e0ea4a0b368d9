import type { Secret } from "../core/secret.ts"
import type { HttpRequest } from "../ports/http.ts"

/** One call of GitHub's REST API. */
export interface ApiCall {
  readonly method: "GET" | "POST" | "DELETE"
  /** Below the API's root, with a slash in front. Whoever writes it has encoded its parts. */
  readonly path: string
  readonly bearer: Secret<string>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Asks for the body only if it is another than the one that this ETag came with. */
  readonly etag?: string | null
}

/** The version of the API whose documentation all of this follows. */
const API_VERSION = "2022-11-28"

/**
 * The call as a request, without the bounds that its sender gives it. Pure.
 *
 * `apiUrl` is `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server.
 */
export function apiRequest(apiUrl: string, call: ApiCall): Omit<HttpRequest, "timeoutMs" | "maxBytes"> {
  const { method, path, bearer, body, etag } = call
  return {
    method,
    url: `${apiUrl.replace(/\/+$/, "")}${path}`,
    headers: {
      accept: "application/vnd.github+json",
      "x-github-api-version": API_VERSION,
      authorization: `Bearer ${bearer.reveal()}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(etag ? { "if-none-match": etag } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }
}
