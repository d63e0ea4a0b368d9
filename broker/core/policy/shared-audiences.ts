import { fault, quote } from "./faults.ts"
import type { ConnectionReading, PolicyFault } from "./model.ts"
import { keyPosition, type YamlNode } from "./yaml.ts"

/**
 * Refuses audiences that two connections must not share. A job that receives a token for the audience of another connection
 * can call the vendor itself, without that connection's limits. And an audience of the broker's own login must not be one
 * that a grant of the same vendor can request: the job would receive everything that the login may read.
 */
export function sharedAudiences(
  file: string,
  root: YamlNode,
  connections: ReadonlyMap<string, ConnectionReading>,
): readonly PolicyFault[] {
  const all = [...connections].flatMap(([name, { provider, connection }]) =>
    provider === null || connection === null
      ? []
      : [{ name, vendor: vendorOf(connection.provider), ...provider.audiences?.(connection.settings) }],
  )
  const faultOf = (name: string, audience: string, why: string) => {
    const at = keyPosition(root, ["connections", name])
    return fault(file, at, "audience_shared", `${name}: the audience ${quote(audience)} ${why}`)
  }
  return all.flatMap(({ name, vendor, handedOut = [], presented = [] }) =>
    all.flatMap((other) => {
      if (other.name === name) return []
      const theirs = [...(other.presented ?? []), ...(other.ownLogin ?? [])]
      const handed = handedOut.filter((audience) => theirs.includes(audience))
      const named = other.vendor === vendor ? presented.filter((audience) => other.ownLogin?.includes(audience)) : []
      return [
        ...handed.map((audience) => faultOf(name, audience, alsoUsedBy(quote(other.name)))),
        ...named.map((audience) => faultOf(name, audience, loginOf(quote(other.name)))),
      ]
    }),
  )
}

const alsoUsedBy = (other: string) =>
  `is also used by the connection ${other}, so a job with a token for it could bypass the limits of ${other}: remove the audience here, or give ${other} a different one.`

const loginOf = (other: string) =>
  `is the one that the connection ${other} uses for the broker's own login, so a grant could request that login: give one of the two connections a different audience.`

/** `aws` of `aws-secrets-manager`. */
const vendorOf = (provider: string) => provider.split("-")[0]
