import type { Identity } from "../core/identity.ts"
import type { ProtectionFact } from "../core/policy/environment-protection.ts"

/** Asks the host of a unit, such as GitHub for a repository, how the unit's environments are protected. */
export interface Environments {
  /**
   * How the job's environment is protected. Never throws: on any failure the protection is unknown, with a sentence that
   * says why. An unknown protection meets no demand.
   */
  protectionOf(identity: Identity): Promise<ProtectionFact>
}
