import type { Secret } from "../core/secret.ts"
import type { HttpRequest } from "../ports/http.ts"

/** One call of GitHub's REST API. */
export interface ApiCall {
  readonly method: "GET" | "POST" | "DELETE"
  /** The path below the API's root, with a leading slash. The caller has encoded its parts. */
  readonly path: string
  readonly bearer: Secret<string>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Requests the body only if it has changed since this ETag. */
  readonly etag?: string | null
}

/** The version of the REST API that this code uses. */
const API_VERSION = "2022-11-28"

/**
 * The call as a request, without the limits that its sender adds. Pure.
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
