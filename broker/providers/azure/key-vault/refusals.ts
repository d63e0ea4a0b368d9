import type { Connection } from "./grant.ts"

// Sources: Microsoft's "Azure Key Vault REST API error codes", and what its own client libraries' users report.

/** Codes for a secret that is there and is not given out, and how a sentence that begins with the place goes on. */
export const UNUSABLE: Readonly<Record<string, string>> = {
  __proto__: null as never,
  SecretDisabled: "is disabled",
  SecretExpired: "has expired: see its expiration date",
  SecretNotYetValid: "is not valid yet: see its activation date",
}

const PRIVATE =
  "the vault admits private endpoints alone. The broker must run in a network that is linked to it, or the vault must take public access"

/** What the other codes mean for whoever reads this place. */
export const refusalsOf = ({ client_id: client }: Connection, place: string): Readonly<Record<string, string>> => ({
  __proto__: null as never,
  ForbiddenByRbac: `client ${client} may not read ${place}, or it is not there. Give its service principal the role Key Vault Secrets User on that secret or on the vault; a change takes some minutes`,
  AccessDenied: `the vault goes by access policies, and none lets client ${client} get secrets. Add one, or let the vault go by roles`,
  ForbiddenByFirewall:
    "the vault's firewall does not admit the address that the broker calls from. Add it to the vault's network rules",
  ForbiddenByConnection: PRIVATE,
  ForbiddenByPolicy: `the access policy of client ${client} names an application besides. Make one that names the client alone`,
  Unauthorized:
    "it did not take Entra's token. The connection's tenant must be the vault's own, and authority and url of the same cloud",
  BadParameter: "the request is none that it takes. See whether the connection's url is a vault's",
  Forbidden: `client ${client} may not read ${place}. See the vault's access control and its network rules`,
})
