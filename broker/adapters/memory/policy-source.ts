import type { PolicySet } from "../../core/policy/model.ts"
import type { PolicySnapshot, PolicySource } from "../../ports/policy-source.ts"

/** A source of policies that are already loaded and never change: from a bundle, in one command, in a test. */
export function createMemoryPolicySource(set: PolicySet, loadedAt: Date): PolicySource {
  const snapshot = snapshotOf(set)
  const status = { version: set.version, policies: set.policyCount, loaded_at: loadedAt.toISOString() }
  return {
    snapshot: async () => snapshot,
    status: () => status,
  }
}

/** A snapshot of one set. */
export function snapshotOf(set: PolicySet): PolicySnapshot {
  return {
    version: set.version,
    organisation: set.organisation,
    policies: set.policies,
    policiesOf: async (identity) => ({ policies: set.policiesOf(identity), version: set.version, notes: [] }),
  }
}
