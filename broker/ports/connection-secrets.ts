import type { Secret } from "../core/secret.ts"

/**
 * The secrets of connections, such as an App's key or a store's token. The operator sets them; the organisation file names
 * them.
 */
export interface ConnectionSecrets {
  /**
   * The secret with this name, unsealed if it is stored sealed.
   *
   * @throws {BrokerError} `configuration_invalid` when it does not exist, or was sealed for another deployment or name
   */
  named(name: string): Promise<Secret<string>>
}
