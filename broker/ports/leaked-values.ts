import type { Secret } from "../core/secret.ts"

/** An alert of a host of repositories: it found in this repository what looks like a secret. */
export interface SecretAlert {
  readonly repositoryId: string
  /** `owner/name`, for people. */
  readonly repository: string
  /** The alert's number in the repository. */
  readonly number: number
}

/** Reads what such a host has found. */
export interface LeakedValues {
  /**
   * The value that an alert is about.
   *
   * @throws {BrokerError} `provider_denied`, `provider_throttled`, `provider_unavailable`, `provider_response_invalid`; the detail
   *   says what to change
   */
  valueOf(alert: SecretAlert): Promise<Secret<string>>
}

/** GitHub's webhook, as the operator has set it up. */
export interface GitHubHook {
  /** One, or two while it is replaced. */
  readonly secrets: readonly Secret<string>[]
  readonly values: LeakedValues
}
