import type { Organisation } from "../core/policy/model.ts"

/**
 * The issuers of the policies that were in force last, so that jobs can revoke their leases while no policies can be loaded.
 */
export interface KnownIssuers {
  /** Stores the issuers of a version once. Never throws: an exchange does not depend on it. */
  remember(version: string, issuers: Organisation["issuers"]): Promise<void>
  /** Null when none were ever stored, or the storage cannot be read. */
  recall(): Promise<Organisation["issuers"] | null>
}
