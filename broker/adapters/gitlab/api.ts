import type { Secret } from "../../core/secret.ts"
import { jsonOfUtf8 } from "../../core/utf8.ts"
import type { Clock } from "../../ports/clock.ts"
import { type Http, HttpError, type HttpFailure, type HttpResponse } from "../../ports/http.ts"

/** What GitLab answered to one read. `absent`: it does not show this to the token, or it does not exist. */
export type Answer =
  | { readonly outcome: "ok"; readonly body: unknown }
  | { readonly outcome: "absent"; readonly message: string }
  | Refusal

/** Why GitLab did not answer: our own sentence, without its full stop. Never text from GitLab. */
export interface Refusal {
  readonly outcome: "refused"
  readonly reason: string
}

export interface GitLabApiOptions {
  /** `https://gitlab.com/api/v4`, or that of another server. The token is sent to no other host. */
  readonly apiUrl: string
  readonly token: Secret<string>
  readonly http: Http
  readonly clock: Clock
}

/**
 * Reads one resource; `path` is below the API's URL, with encoded parts, and `deadline` is on `Clock.elapsed()`. Never throws
 * for failures of GitLab or the network; never retries, never follows a redirect.
 */
export type GitLabApi = (path: string, deadline: number) => Promise<Answer>

const TIMEOUT_MS = 5_000
const MAX_BYTES = 256 * 1024
/** GitLab's `Retry-After` is seconds; this is used where the header is missing, and the other one bounds it. */
const DEFAULT_PAUSE_SECONDS = 60
const MAX_PAUSE_SECONDS = 3_600

/**
 * GitLab's REST API, read with one access token. While GitLab limits the rate of requests (429), nothing is sent: one token
 * has one limit.
 */
export function createGitLabApi({ apiUrl, token, http, clock }: GitLabApiOptions): GitLabApi {
  let pausedUntil = 0

  return async (path, deadline) => {
    if (clock.elapsed() < pausedUntil) return refused(LIMITED)
    const timeoutMs = Math.min(TIMEOUT_MS, deadline - clock.elapsed())
    if (!(timeoutMs > 0)) return refused(FAILURES.timeout)
    const headers = { accept: "application/json", authorization: `Bearer ${token.reveal()}` }
    try {
      const response = await http({ method: "GET", url: `${apiUrl}${path}`, headers, timeoutMs, maxBytes: MAX_BYTES })
      if (response.status === 429) pausedUntil = clock.elapsed() + pauseOf(response) * 1_000
      return readAnswer(response)
    } catch (error) {
      if (error instanceof HttpError) return refused(FAILURES[error.reason])
      throw error
    }
  }
}

/** Reads an answer. Pure. */
function readAnswer(response: HttpResponse): Answer {
  const { status } = response
  if (status === 200) {
    const body = jsonOfUtf8(response.body)
    return body === undefined ? refused("GitLab sent a body that is not JSON") : { outcome: "ok", body }
  }
  if (status === 401) return refused(REJECTED)
  if (status === 403) return refused(FORBIDDEN)
  if (status === 404) return { outcome: "absent", message: messageOf(response) }
  if (status === 429) return refused(LIMITED)
  return refused(`GitLab answered with status ${status}`)
}

/** A refusal for a reason. */
export const refused = (reason: string): Refusal => ({ outcome: "refused", reason })

const REJECTED =
  "GitLab does not accept the broker's access token: check DAYPASS_GITLAB_TOKEN, and whether the token has expired"
const FORBIDDEN =
  "The broker's access token may not read the project's protected environments and deployments: it needs the scope read_api, and the role Maintainer in the project"
const LIMITED = "GitLab limits the broker's requests: try again later"

const FAILURES: Readonly<Record<HttpFailure, string>> = {
  unreachable: "GitLab could not be reached",
  timeout: "GitLab did not answer in time",
  "too-large": "GitLab sent an answer that is too large",
  redirect: "GitLab sent a redirect, which is never followed",
}

function pauseOf(response: HttpResponse): number {
  const header = response.header("retry-after") ?? ""
  return /^[0-9]{1,9}$/.test(header) ? Math.min(MAX_PAUSE_SECONDS, Number(header)) : DEFAULT_PAUSE_SECONDS
}

/** Only used to tell two kinds of 404 apart, never passed on. */
function messageOf(response: HttpResponse): string {
  const body = jsonOfUtf8(response.body)
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : undefined
  return typeof message === "string" ? message : ""
}
