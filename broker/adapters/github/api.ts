import type { Secret } from "../../core/secret.ts"
import type { Clock } from "../../ports/clock.ts"
import { type Http, HttpError } from "../../ports/http.ts"
import { type Answer, FAILURES, failed, readAnswer } from "./answer.ts"

/** One request to GitHub's REST API. */
export interface ApiRequest {
  readonly method: "GET" | "POST"
  /** Below the API's root, with a slash in front. Whoever writes it has encoded its parts. */
  readonly path: string
  readonly bearer: Secret<string>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Asks for the body only if it is another than the one that this ETag came with. */
  readonly etag?: string | null
  readonly maxBytes: number
  /** Unix milliseconds. The request ends then, or after 5 s, whichever comes first. */
  readonly deadline: number
}

/** Sends one request. Never throws for what GitHub or the network does; never retries, never follows a redirect. */
export type Api = (request: ApiRequest) => Promise<Answer>

const TIMEOUT_MS = 5_000
const API_VERSION = "2022-11-28"

/** GitHub's REST API at `apiUrl`: `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server. */
export function createApi(apiUrl: string, http: Http, clock: Clock): Api {
  const root = apiUrl.replace(/\/+$/, "")
  return async ({ method, path, bearer, body, etag, maxBytes, deadline }) => {
    const timeoutMs = Math.min(TIMEOUT_MS, deadline - clock.now().getTime())
    if (!(timeoutMs > 0)) return failed(FAILURES.timeout)
    try {
      const response = await http({
        method,
        url: `${root}${path}`,
        headers: {
          accept: "application/vnd.github+json",
          "x-github-api-version": API_VERSION,
          authorization: `Bearer ${bearer.reveal()}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(etag ? { "if-none-match": etag } : {}),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs,
        maxBytes,
      })
      return readAnswer(response, { success: method === "POST" ? 201 : 200, conditional: Boolean(etag) }, clock.now())
    } catch (error) {
      if (error instanceof HttpError) return failed(FAILURES[error.reason])
      throw error
    }
  }
}
