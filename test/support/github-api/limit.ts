import { no, type RouteAnswer } from "./route.ts"

const HOURLY_REQUESTS = 5_000

/** GitHub's ways to ask for patience. `unsaid`: a secondary limit that only the message tells of. */
export type Limit =
  | { readonly kind: "primary"; readonly status: 403 | 429; readonly resetInSeconds: number }
  | { readonly kind: "secondary"; readonly status: 403 | 429; readonly retryAfterSeconds: number }
  | { readonly kind: "unsaid" }

export const limitAnswer = (limit: Limit): RouteAnswer =>
  no(limit.kind === "unsaid" ? 403 : limit.status, LIMIT_MESSAGES[limit.kind])

/** What every answer says of the hour's requests, of which so many are used. */
export function rateHeaders(limit: Limit | null, used: number, now: Date): Record<string, string> {
  const isPrimary = limit?.kind === "primary"
  const resetIn = limit?.kind === "primary" ? limit.resetInSeconds : 3600
  return {
    "x-ratelimit-limit": String(HOURLY_REQUESTS),
    "x-ratelimit-remaining": String(isPrimary ? 0 : HOURLY_REQUESTS - used),
    "x-ratelimit-used": String(isPrimary ? HOURLY_REQUESTS : used),
    "x-ratelimit-reset": String(Math.floor(now.getTime() / 1000) + resetIn),
    "x-ratelimit-resource": "core",
    ...(limit?.kind === "secondary" ? { "retry-after": String(limit.retryAfterSeconds) } : {}),
  }
}

const LIMIT_MESSAGES: Readonly<Record<Limit["kind"], string>> = {
  primary: "API rate limit exceeded for installation ID 51000000.",
  secondary: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
  unsaid: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
}
