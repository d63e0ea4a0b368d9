import type { Identity } from "../core/identity.ts"
import type { ApprovalFact } from "../core/policy/break-glass.ts"
import type { ProtectionFact } from "../core/policy/environment-protection.ts"

/** Asks the host of a unit, such as GitHub for a repository, about the unit's environments. */
export interface Environments {
  /**
   * How the job's environment is protected. Never throws: on any failure the protection is unknown, with a sentence that
   * says why. An unknown protection meets no demand.
   */
  protectionOf(identity: Identity): Promise<ProtectionFact>
  /**
   * Who approved that the job runs in its environment. Never throws: on any failure the approvals are unknown, with a sentence
   * that says why. Unknown approvals meet no demand.
   */
  approvalsOf(identity: Identity): Promise<ApprovalFact>
}
