import type { Identity } from "../core/identity.ts"
import type { ProtectionFact } from "../core/policy/environment-protection.ts"

/** How the environments of repositories are protected, asked of whoever hosts them. */
export interface Environments {
  /**
   * What is known of the environment that a job runs in. Never throws: whatever goes wrong is "not known", with a
   * sentence that says why, and what is not known meets no demand.
   */
  protectionOf(identity: Identity): Promise<ProtectionFact>
}
