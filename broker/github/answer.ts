import type { HttpFailure, HttpResponse } from "../ports/http.ts"

/**
 * What GitHub's API said. Only `absent` means that something is not there, and only on GitHub's word: a 404 is what it
 * says to everybody who may not know, and an error is no answer at all.
 */
export type Answer =
  | { readonly outcome: "ok"; readonly body: unknown; readonly etag: string | null }
  /** What the request's `etag` stands for has not changed. */
  | { readonly outcome: "not-modified" }
  /** The repository has no commit at all. */
  | { readonly outcome: "absent" }
  | Refusal

/** Why nothing was learned. */
export type Refusal = NoAccess | RateLimited | Failed

export interface NoAccess {
  readonly outcome: "no-access"
  readonly why: NoAccessReason
}

/**
 * `not-installed`: on that repository. `suspended`: by the owner or by whoever runs the App. `permission`: the
 * installation does not have it. `app-rejected`: GitHub does not take the App's id and key. `not-visible`: the 404 or
 * 403 of a route that should be open. `owner-changed`: the repository belongs to somebody else than the job says.
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
  /** What happened, as the end of a sentence of ours that begins with GitHub. Never a word of GitHub's. */
  readonly reason: string
  /** Of the answer, where one came that says nothing we know. */
  readonly status?: number
}

/** A failure; `reason` is the end of a sentence that begins with GitHub. */
export const failed = (reason: string): Failed => ({ outcome: "failed", reason })
/** No access, and why. */
export const noAccess = (why: NoAccessReason): NoAccess => ({ outcome: "no-access", why })

/** What was asked, as far as an answer depends on it. */
export interface Asked {
  /** The one status that says yes. With 204 no body comes, and `null` stands for it. */
  readonly success: 200 | 201 | 204
  /** Whether the request carried an ETag. */
  readonly conditional: boolean
}

/** What an answer means that came. Pure. */
export function readAnswer(response: HttpResponse, { success, conditional }: Asked, now: Date): Answer {
  const { status } = response
  if (status === 304 && conditional) return { outcome: "not-modified" }
  if (status === success) {
    const body = status === 204 ? null : parseJson(response.body)
    return body === undefined ? failed("sent no JSON") : { outcome: "ok", body, etag: etagOf(response) }
  }
  const limit = rateLimitOf(response, now)
  if (limit !== null) return limit
  if (status === 401) return noAccess("app-rejected")
  if (status === 403) return noAccess(messageOf(response) === SUSPENDED ? "suspended" : "permission")
  if (status === 404) return noAccess("not-visible")
  if (status === 409 && messageOf(response) === EMPTY_REPOSITORY) return { outcome: "absent" }
  return { outcome: "failed", reason: `answered with status ${status}`, status }
}

/** What went wrong when no answer came. */
export const FAILURES: Readonly<Record<HttpFailure, string>> = {
  unreachable: "could not be reached",
  timeout: "did not answer in time",
  "too-large": "sent more than it should",
  redirect: "pointed elsewhere, which is never followed",
}

/** GitHub's words for a repository without a commit (409), and for a suspended installation (403). */
const EMPTY_REPOSITORY = "Git Repository is empty."
const SUSPENDED = "This installation has been suspended"

/** What GitHub asks for when it names no time. */
const DEFAULT_WAIT_SECONDS = 60
/** The window of the primary limit. Nothing GitHub says keeps us away for longer. */
const MAX_WAIT_SECONDS = 3600

/**
 * GitHub's primary limit is 403 or 429 with `x-ratelimit-remaining: 0`; a secondary one is either status with
 * `retry-after`, or with nothing but a sentence. Whoever goes on asking may be banned.
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

/** GitHub's own sentence for an error, for there is no code beside it; read to tell errors apart, never passed on. */
export function messageOf(response: Pick<HttpResponse, "body">): string {
  const body = parseJson(response.body)
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : undefined
  return typeof message === "string" ? message : ""
}

/** Undefined, which JSON has not, when it is none. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return undefined
  }
}

/** An ETag as we may send it back in a header; whatever else stands there is not kept. */
function etagOf(response: HttpResponse): string | null {
  const etag = response.header("etag")
  return etag !== null && /^(?:W\/)?"[!#-~]{1,256}"$/.test(etag) ? etag : null
}
