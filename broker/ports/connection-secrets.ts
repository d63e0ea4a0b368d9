import type { Secret } from "../core/secret.ts"

/** Secrets that connections have of their own: an App's key, a store's token. Held by the operator, named in the organisation file. */
export interface ConnectionSecrets {
  /**
   * The secret of this name, opened if it was sealed.
   *
   * @throws {BrokerError} `configuration_invalid` when there is none, or it was sealed for another deployment or name
   */
  named(name: string): Promise<Secret<string>>
}
