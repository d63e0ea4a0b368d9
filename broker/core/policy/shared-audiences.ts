import { fault, quote } from "./faults.ts"
import type { Connection, PolicyFault } from "./model.ts"
import type { ProviderSchemas } from "./provider-schemas.ts"
import { keyPosition, type YamlNode } from "./yaml.ts"

/** A connection, as far as it could be read. */
interface Reading {
  readonly provider: ProviderSchemas | null
  readonly connection: Connection | null
}

/**
 * Audiences that two connections must not share. A job that is handed a token for what another connection presents speaks to
 * the other side itself, past that connection's limits; and where the broker logs in for itself, a grant of the same vendor's
 * could name that very login, and a job get all of it.
 */
export function sharedAudiences(
  file: string,
  root: YamlNode,
  connections: ReadonlyMap<string, Reading>,
): readonly PolicyFault[] {
  const all = [...connections].flatMap(([name, { provider, connection }]) =>
    provider === null || connection === null
      ? []
      : [{ name, vendor: vendorOf(connection.provider), ...provider.audiences?.(connection.settings) }],
  )
  const faultOf = (name: string, audience: string, why: string) =>
    fault(
      file,
      keyPosition(root, ["connections", name]),
      "audience_shared",
      `${name}: the audience ${quote(audience)} ${why}`,
    )
  return all.flatMap(({ name, vendor, handedOut = [], presented = [] }) =>
    all.flatMap((other) => {
      if (other.name === name) return []
      const theirs = [...(other.presented ?? []), ...(other.ownLogin ?? [])]
      const handed = handedOut.filter((audience) => theirs.includes(audience))
      const named = other.vendor === vendor ? presented.filter((audience) => other.ownLogin?.includes(audience)) : []
      return [
        ...handed.map((audience) =>
          faultOf(
            name,
            audience,
            `is what the connection ${quote(other.name)} is known by, and a job with a token for it would get past that one's limits: take it out here, or give the other an audience of its own.`,
          ),
        ),
        ...named.map((audience) =>
          faultOf(
            name,
            audience,
            `is the one that the connection ${quote(other.name)} logs in with for itself, and a grant could name that login: give one of the two an audience of its own.`,
          ),
        ),
      ]
    }),
  )
}

/** `aws` of `aws-secrets-manager`. */
const vendorOf = (provider: string) => provider.split("-")[0]
