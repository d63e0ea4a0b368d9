import type { NoAccessReason, Refusal } from "../../github/answer.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Permission } from "./installation-token.ts"

/** The subject of a refusal, for the sentence. */
export interface About {
  /** `owner/name`, for people. */
  readonly repository: string
  readonly permission: Permission
  readonly now: Date
}

/** Why GitHub refused and what to change, as one or two sentences of ours. Never text from GitHub. */
export function explainRefusal(refusal: Refusal, about: About): string {
  if (refusal.outcome === "no-access") return NO_ACCESS[refusal.why](about)
  if (refusal.outcome === "failed") return `GitHub ${refusal.reason}. Try again.`
  const until = new Date(about.now.getTime() + refusal.retryAfterSeconds * 1000)
  return `GitHub limits the broker's requests until ${timeOf(until)}. Try again after that time.`
}

/** A time as ISO 8601, to the second. */
export const timeOf = (moment: Date) => moment.toISOString().replace(/\.[0-9]+Z$/, "Z")

/** A moment on `Clock.elapsed()` as a time for people, by the wall clock as it is now. */
export const wallTime = (moment: number, clock: Clock) => new Date(clock.now().getTime() + moment - clock.elapsed())

const PERMISSIONS: Readonly<Record<Permission, string>> = {
  contents: "Contents",
  actions: "Actions",
  secret_scanning_alerts: "Secret scanning alerts",
}

const NO_ACCESS: Readonly<Record<NoAccessReason, (about: About) => string>> = {
  "not-installed": ({ repository }) =>
    `The broker's GitHub App is not installed on ${repository}: install it, and choose this repository.`,
  suspended: ({ repository }) =>
    `The installation of the broker's GitHub App on ${repository} is suspended: unsuspend it in the installation's settings.`,
  permission: ({ repository, permission }) =>
    `The broker's GitHub App may not read ${PERMISSIONS[permission]} of ${repository}: give the App the permission ${PERMISSIONS[permission]}: read, and accept it in the installation.`,
  "app-rejected": () =>
    "GitHub does not accept the broker's GitHub App: check DAYPASS_GITHUB_APP_ID, DAYPASS_GITHUB_APP_KEY and the broker's clock.",
  "not-visible": ({ repository }) =>
    `GitHub does not show ${repository} to the broker's GitHub App: check that the App is installed on it and that the requested resource exists.`,
  "owner-changed": ({ repository }) =>
    `GitHub names another owner for ${repository} than the job's token: after a transfer of the repository, start the job again.`,
}
