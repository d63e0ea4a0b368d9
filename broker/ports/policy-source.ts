import type { Organisation, Policy } from "../core/policy/model.ts"

/** Policies as they stood at one moment: the organisation file and the policies of one set, never of two. */
export interface PolicySnapshot {
  readonly version: string
  readonly organisation: Organisation
  /** All policies of one repository. Empty only on a positive answer that there are none; any doubt throws. */
  policiesOf(issuer: string, repositoryId: string): Promise<readonly Policy[]>
}

/** What `/healthz` says of the policies. No file names: the route is public. */
export interface PolicyStatus {
  readonly version: string | null
  readonly policies: number
  readonly loaded_at: string | null
  /** Present while a broken folder keeps an older set in force. */
  readonly stale?: { readonly since: string; readonly faults: number }
}

export interface PolicySource {
  /** @throws {BrokerError} `policy_unavailable` when no set has ever loaded. */
  snapshot(): Promise<PolicySnapshot>
  status(): PolicyStatus
}
