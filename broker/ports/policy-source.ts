import type { Identity } from "../core/identity.ts"
import type { Organisation, Policy } from "../core/policy/model.ts"

/** The policies at one moment: the organisation file and all policies belong to one set, never to two. */
export interface PolicySnapshot {
  readonly version: string
  readonly organisation: Organisation
  /** The organisation's policies, where they are all at hand. */
  readonly policies?: readonly Policy[]
  /** The units with policies of their own, by the issuer's name and their ids, where those policies are not at hand. */
  units?(): readonly { readonly issuer: string; readonly unitId: string }[]
  /**
   * All policies that cover a job's unit, by its id or by its name. The list is empty only when it is certain that no
   * policy exists; in any doubt the call throws.
   *
   * @throws {BrokerError} `policy_unavailable`, `policy_invalid`
   */
  policiesOf(identity: Identity): Promise<PoliciesInForce>
}

/** The policies that decide about one job. */
export interface PoliciesInForce {
  readonly policies: readonly Policy[]
  /** For the audit record: the set's version, joined by the version of the repository's own policies if it has some. */
  readonly version: string
  /** Sentences for the trace, for example that a newer version could not be read. */
  readonly notes: readonly string[]
}

/** The state of the policies for `/healthz`. It contains no file names, because the route is public. */
export interface PolicyStatus {
  readonly version: string | null
  readonly policies: number
  readonly loaded_at: string | null
  /**
   * Present while the set may be older than its source: `faults` counts those of a broken folder. It is 0 while a changed
   * folder is not still yet, and when a store cannot confirm the set.
   */
  readonly stale?: { readonly since: string; readonly faults: number }
}

export interface PolicySource {
  /** @throws {BrokerError} `policy_unavailable` when there is no set, or only one that is too old. */
  snapshot(): Promise<PolicySnapshot>
  status(): PolicyStatus
}
