import type { Identity } from "../../core/identity.ts"
import type { Environments } from "../../ports/environments.ts"

/**
 * Asks the host of the job's issuer. `hosts`: the exact `iss` -> who can be asked about its units. For another issuer the
 * protection is unknown and so are approvals, for the reason that `otherwise` gives.
 */
export const environmentsByIssuer = (
  hosts: ReadonlyMap<string, Environments>,
  otherwise: (identity: Identity) => string,
): Environments => ({
  async protectionOf(identity) {
    const host = hosts.get(identity.issuerUrl)
    return host === undefined ? { known: false, reason: otherwise(identity) } : host.protectionOf(identity)
  },
  async approvalsOf(identity) {
    const host = hosts.get(identity.issuerUrl)
    return host === undefined ? { known: false, reason: otherwise(identity) } : host.approvalsOf(identity)
  },
})
