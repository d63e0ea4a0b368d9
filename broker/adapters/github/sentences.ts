import type { NoAccessReason, Refusal } from "../../github/answer.ts"
import type { Permission } from "./installation-token.ts"

/** What a refusal is about, for the sentence. */
export interface About {
  /** `owner/name`, for people. */
  readonly repository: string
  readonly permission: Permission
  readonly now: Date
}

/** Why GitHub gave nothing and what to change, as one or two sentences of ours. Never a word of GitHub's. */
export function explainRefusal(refusal: Refusal, about: About): string {
  if (refusal.outcome === "no-access") return NO_ACCESS[refusal.why](about)
  if (refusal.outcome === "failed") return `GitHub ${refusal.reason}. Try again.`
  const until = new Date(about.now.getTime() + refusal.retryAfterSeconds * 1000)
  return `GitHub asks the broker for patience until ${timeOf(until)}. Try again then.`
}

/** A moment, to the second. */
export const timeOf = (moment: Date) => moment.toISOString().replace(/\.[0-9]+Z$/, "Z")

const PERMISSIONS: Readonly<Record<Permission, string>> = { contents: "Contents", actions: "Actions" }

const NO_ACCESS: Readonly<Record<NoAccessReason, (about: About) => string>> = {
  "not-installed": ({ repository }) =>
    `The broker's GitHub App is not installed on ${repository}: install it, and choose this repository.`,
  suspended: ({ repository }) =>
    `The installation of the broker's GitHub App on ${repository} is suspended: end that in the installation's settings.`,
  permission: ({ repository, permission }) =>
    `The broker's GitHub App may not read ${PERMISSIONS[permission]} of ${repository}: grant it ${PERMISSIONS[permission]}: read, and accept that in its installation.`,
  "app-rejected": () =>
    "GitHub does not accept the broker's GitHub App: check DAYPASS_GITHUB_APP_ID, DAYPASS_GITHUB_APP_KEY and the broker's clock.",
  "not-visible": ({ repository }) =>
    `GitHub does not show ${repository} to the broker's GitHub App: see that the App is installed on it and that what it asks for exists.`,
  "owner-changed": ({ repository }) =>
    `GitHub says that ${repository} belongs to another owner than the job's token does: start the job again after a transfer.`,
}
