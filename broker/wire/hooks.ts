/** `POST`: where GitHub's webhook tells of secrets that it found in repositories. */
export const GITHUB_HOOK_PATH = "/v1/hooks/github"

/** The answer of `POST GITHUB_HOOK_PATH`. */
export interface HookAnswer {
  /** How many leases gave the value of the alert. 0 also for a delivery that is about something else. */
  readonly leases: number
}
