import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * Finds grants of the broker's own token, with which a job asks the vendor itself. The lists of the connection and the ceilings
 * of the organisation do not limit what it gets there.
 */
export function* handedOverTokens({ set, sources, providers }: Subject): Generator<Warning> {
  for (const policy of set.policies) {
    for (const { name, fields, connection } of policy.grants.values()) {
      const reached = providers.get(connection.provider)?.reachesBeyond?.(fields, connection.settings) ?? null
      if (reached === null) continue
      const at = sources.keyAt(policy.file, ["grants", name, "hand_over"])
      yield warn(policy.file, at, "token_handed_over", `The holder of ${name} can ${reached}.`)
    }
  }
}
