import { BrokerError } from "../core/errors.ts"
import type { Secret } from "../core/secret.ts"
import type { ConnectionSecrets } from "../ports/connection-secrets.ts"
import type { SealContext, Sealer } from "./sealer.ts"

/** Where a connection's sealed secret belongs: to the deployment, under its name. */
export const connectionSecretContext = (name: string): SealContext => ({
  kind: "connection-secret",
  repository: "-",
  id: name,
})

/** Finds connections' secrets among the operator's settings: as they are, or sealed by `daypass seal --for NAME`. */
export function createConnectionSecrets(
  setting: (name: string) => Secret<string> | undefined,
  sealer: Sealer,
): ConnectionSecrets {
  return {
    async named(name) {
      const secret = setting(name)
      if (secret === undefined) throw new BrokerError("configuration_invalid", missing(name))
      if (!isSealed(secret.reveal())) return secret
      return await sealer.open(secret.reveal(), connectionSecretContext(name)).catch(() => {
        throw new BrokerError("configuration_invalid", sealedElsewhere(name))
      })
    },
  }
}

/** Five parts, the first of which is the JSON of a compact JWE's header (RFC 7516): no token, key or password looks like it. */
const isSealed = (text: string) => /^eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){4}$/.test(text)

const missing = (name: string) =>
  `A connection names the secret ${name}, which this broker does not have. Set it: npx wrangler secret put ${name} at the edge, the variable ${name} on Node.`

const sealedElsewhere = (name: string) =>
  `The secret ${name} does not open here: it was changed, or sealed under another DAYPASS_KEK, for another name, or for another DAYPASS_URL or DAYPASS_DEPLOYMENT. Seal it again with this broker's settings: npx daypass seal --for ${name}`
