import { BrokerError } from "../core/errors.ts"
import { isSealed } from "../core/sealed-form.ts"
import type { Secret } from "../core/secret.ts"
import type { ConnectionSecrets } from "../ports/connection-secrets.ts"
import type { SealContext, Sealer } from "./sealer.ts"

/** The context that a connection's secret is sealed for: the deployment, under the secret's name. */
export const connectionSecretContext = (name: string): SealContext => ({
  kind: "connection-secret",
  unit: "-",
  id: name,
})

/** Finds connections' secrets in the operator's settings: plain, or sealed by `daypass seal --for NAME`. */
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

const missing = (name: string) =>
  `A connection names the secret ${name}, but it is not set. Set it: at the edge with npx wrangler secret put ${name}, on Node as the variable ${name}.`

const sealedElsewhere = (name: string) =>
  `The secret ${name} cannot be unsealed: it was changed, or sealed under a key that is neither DAYPASS_KEK nor DAYPASS_KEK_PREVIOUS, for another name, or for another DAYPASS_URL or DAYPASS_DEPLOYMENT. Seal it again with this broker's settings: daypass seal --for ${name}`
