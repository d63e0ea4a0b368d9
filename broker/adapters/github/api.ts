import { type Answer, FAILURES, failed, readAnswer } from "../../github/answer.ts"
import { type ApiCall, apiRequest } from "../../github/request.ts"
import type { Clock } from "../../ports/clock.ts"
import { type Http, HttpError } from "../../ports/http.ts"

/** One request to GitHub's REST API. */
export interface ApiRequest extends ApiCall {
  readonly method: "GET" | "POST"
  readonly maxBytes: number
  /** On `Clock.elapsed()`. The request ends at this time, or after 5 s, whichever is first. */
  readonly deadline: number
}

/** Sends one request. Never throws for failures of GitHub or the network; never retries, never follows a redirect. */
export type Api = (request: ApiRequest) => Promise<Answer>

const TIMEOUT_MS = 5_000

/** GitHub's REST API at `apiUrl`: `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server. */
export function createApi(apiUrl: string, http: Http, clock: Clock): Api {
  return async ({ maxBytes, deadline, ...call }) => {
    const timeoutMs = Math.min(TIMEOUT_MS, deadline - clock.elapsed())
    if (!(timeoutMs > 0)) return failed(FAILURES.timeout)
    try {
      const response = await http({ ...apiRequest(apiUrl, call), timeoutMs, maxBytes })
      const success = call.method === "POST" ? 201 : 200
      return readAnswer(response, { success, conditional: Boolean(call.etag) }, clock.now())
    } catch (error) {
      if (error instanceof HttpError) return failed(FAILURES[error.reason])
      throw error
    }
  }
}
