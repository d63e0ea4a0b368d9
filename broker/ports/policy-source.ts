import type { Identity } from "../core/identity.ts"
import type { Organisation, Policy } from "../core/policy/model.ts"

/** Policies as they stood at one moment: the organisation file and the policies of one set, never of two. */
export interface PolicySnapshot {
  readonly version: string
  readonly organisation: Organisation
  /**
   * All policies that speak of a job's repository, by its id or by its name. None only on a positive answer that there
   * are none; any doubt throws.
   *
   * @throws {BrokerError} `policy_unavailable`, `policy_invalid`
   */
  policiesOf(identity: Identity): Promise<PoliciesInForce>
}

/** What one job is decided by. */
export interface PoliciesInForce {
  readonly policies: readonly Policy[]
  /** For the audit record: the set's version, and that of the repository's own policies where it keeps some. */
  readonly version: string
  /** Sentences for the trace: that something could not be read anew, for example. */
  readonly notes: readonly string[]
}

/** What `/healthz` says of the policies. No file names: the route is public. */
export interface PolicyStatus {
  readonly version: string | null
  readonly policies: number
  readonly loaded_at: string | null
  /** Present while a broken folder keeps an older set in force; without faults while a store does not confirm it. */
  readonly stale?: { readonly since: string; readonly faults: number }
}

export interface PolicySource {
  /** @throws {BrokerError} `policy_unavailable` when no set can be had. */
  snapshot(): Promise<PolicySnapshot>
  status(): PolicyStatus
}
