import type { Connection } from "../../broker/core/policy/model.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * Finds grants of the broker's own token, with which a job asks the vendor itself. The lists of the connection and the ceilings
 * of the organisation do not limit what it gets there, nor do those of another connection that presents tokens for the same
 * audience: a grant of the same name has the same `sub` there.
 */
export function* handedOverTokens({ set, sources, providers }: Subject): Generator<Warning> {
  const presentedBy = ({ provider, settings }: Connection) =>
    providers.get(provider)?.audiences?.(settings).presented ?? []
  for (const policy of set.policies) {
    for (const { name, fields, connection } of policy.grants.values()) {
      const reached = providers.get(connection.provider)?.reachesBeyond?.(fields, connection.settings) ?? null
      if (reached === null) continue
      const at = sources.keyAt(policy.file, ["grants", name, "hand_over"])
      const others = [...set.organisation.connections.values()]
        .filter((other) => other.name !== connection.name)
        .filter((other) => presentedBy(other).some((audience) => presentedBy(connection).includes(audience)))
        .map((other) => other.name)
      yield warn(policy.file, at, "token_handed_over", `The holder of ${name} can ${reached}.${sharedWith(others)}`)
    }
  }
}

const sharedWith = (others: readonly string[]): string =>
  others.length === 0
    ? ""
    : ` The audience of its token is also that of ${others.join(", ")}: where the vendor trusts the token's subject for ${others.length === 1 ? "that connection" : "these connections"}, no field of a grant and no ceiling limits the holder. Use another audience for this connection; in Google Cloud, a pool of its own.`
