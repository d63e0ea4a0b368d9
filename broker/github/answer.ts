import { jsonOfUtf8 } from "../core/utf8.ts"
import type { HttpFailure, HttpResponse } from "../ports/http.ts"

/**
 * The meaning of an answer of GitHub's API. Only `absent` means that something certainly does not exist. A 404 does not:
 * GitHub also sends it to callers without access. An error proves nothing.
 */
export type Answer =
  | { readonly outcome: "ok"; readonly body: unknown; readonly etag: string | null }
  /** The content has not changed since the request's `etag`. */
  | { readonly outcome: "not-modified" }
  /** The repository has no commit at all. */
  | { readonly outcome: "absent" }
  | Refusal

/** Why the answer has no content. */
export type Refusal = NoAccess | RateLimited | Failed

export interface NoAccess {
  readonly outcome: "no-access"
  readonly why: NoAccessReason
}

/**
 * `not-installed`: the App is not installed on the repository. `suspended`: the owner or the App's operator suspended the
 * installation. `permission`: the installation lacks the permission. `app-rejected`: GitHub refuses the App's id and key.
 * `not-visible`: 404 or 403 from a route that should be accessible. `owner-changed`: the repository has another owner than
 * the job's token says.
 */
export type NoAccessReason =
  | "not-installed"
  | "suspended"
  | "permission"
  | "app-rejected"
  | "not-visible"
  | "owner-changed"

export interface RateLimited {
  readonly outcome: "rate-limited"
  /** At least 1. */
  readonly retryAfterSeconds: number
}

export interface Failed {
  readonly outcome: "failed"
  /** What happened, as the end of our own sentence that begins with GitHub. Never text from GitHub. */
  readonly reason: string
  /** The status of an answer that has no known meaning. */
  readonly status?: number
}

/** A failure; `reason` is the end of a sentence that begins with GitHub. */
export const failed = (reason: string): Failed => ({ outcome: "failed", reason })
/** No access, and why. */
export const noAccess = (why: NoAccessReason): NoAccess => ({ outcome: "no-access", why })

/** The parts of the request that the meaning of an answer depends on. */
export interface Asked {
  /** The only status that means success. With 204 there is no body, and the result has `null`. */
  readonly success: 200 | 201 | 204
  /** Whether the request carried an ETag. */
  readonly conditional: boolean
}

/** Reads an answer. Pure. */
export function readAnswer(response: HttpResponse, { success, conditional }: Asked, now: Date): Answer {
  const { status } = response
  if (status === 304 && conditional) return { outcome: "not-modified" }
  if (status === success) {
    const body = status === 204 ? null : jsonOfUtf8(response.body)
    return body === undefined ? failed("sent a body that is not JSON") : { outcome: "ok", body, etag: etagOf(response) }
  }
  const limit = rateLimitOf(response, now)
  if (limit !== null) return limit
  if (status === 401) return noAccess("app-rejected")
  if (status === 403) return noAccess(messageOf(response) === SUSPENDED ? "suspended" : "permission")
  if (status === 404) return noAccess(messageOf(response) === NO_SUCH_APP ? "app-rejected" : "not-visible")
  if (status === 409 && messageOf(response) === EMPTY_REPOSITORY) return { outcome: "absent" }
  return { outcome: "failed", reason: `answered with status ${status}`, status }
}

/** The reasons when no usable answer arrived. */
export const FAILURES: Readonly<Record<HttpFailure, string>> = {
  unreachable: "could not be reached",
  timeout: "did not answer in time",
  "too-large": "sent an answer that is too large",
  redirect: "sent a redirect, which is never followed",
}

/** GitHub's messages: a repository without a commit (409), a suspended installation (403), an App's id unknown (404). */
const EMPTY_REPOSITORY = "Git Repository is empty."
const SUSPENDED = "This installation has been suspended"
const NO_SUCH_APP = "Integration not found"

/** The pause that GitHub's documentation asks for when the answer names no time. */
const DEFAULT_WAIT_SECONDS = 60
/** The window of the primary limit, and the longest pause, whatever the answer says. */
const MAX_WAIT_SECONDS = 3600

/**
 * GitHub's primary limit is 403 or 429 with `x-ratelimit-remaining: 0`. A secondary limit is one of these statuses with
 * `retry-after`, or only with a message. Clients that continue to send requests may be banned.
 */
function rateLimitOf(response: HttpResponse, now: Date): RateLimited | null {
  if (response.status !== 403 && response.status !== 429) return null
  const wait = (seconds: number): RateLimited => ({
    outcome: "rate-limited",
    retryAfterSeconds: Math.min(MAX_WAIT_SECONDS, Math.max(1, Math.ceil(seconds))),
  })
  const retryAfter = response.header("retry-after")
  if (retryAfter !== null) return wait(wholeNumber(retryAfter) ?? DEFAULT_WAIT_SECONDS)
  if (response.header("x-ratelimit-remaining") === "0") {
    const reset = wholeNumber(response.header("x-ratelimit-reset") ?? "")
    return wait(reset === null ? DEFAULT_WAIT_SECONDS : reset - now.getTime() / 1000)
  }
  const said = response.status === 429 || /\b(?:secondary )?rate limit\b|\babuse detection\b/i.test(messageOf(response))
  return said ? wait(DEFAULT_WAIT_SECONDS) : null
}

const wholeNumber = (text: string): number | null => (/^[0-9]{1,12}$/.test(text) ? Number(text) : null)

/** GitHub's message of an error, because GitHub sends no error code. Only used to distinguish errors, never passed on. */
export function messageOf(response: Pick<HttpResponse, "body">): string {
  const body = jsonOfUtf8(response.body)
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : undefined
  return typeof message === "string" ? message : ""
}

/** An ETag that is safe to send back in a header; null for any other text. */
function etagOf(response: HttpResponse): string | null {
  const etag = response.header("etag")
  return etag !== null && /^(?:W\/)?"[!#-~]{1,256}"$/.test(etag) ? etag : null
}
