import type { Connection } from "./grant.ts"

// Sources: Microsoft's "Azure Key Vault REST API error codes", and reports of users of Microsoft's client libraries.

/** Codes for a secret that exists but cannot be read, with the end of a sentence that begins with the place. */
export const UNUSABLE: Readonly<Record<string, string>> = {
  __proto__: null as never,
  SecretDisabled: "is disabled",
  SecretExpired: "has expired: check its expiration date",
  SecretNotYetValid: "is not valid yet: check its activation date",
}

const PRIVATE =
  "the vault allows only private endpoints. Run the broker in a network that is linked to the vault, or enable public access to the vault"

/** The meaning of the other codes, for a read of this place. */
export const refusalsOf = ({ client_id: client }: Connection, place: string): Readonly<Record<string, string>> => ({
  __proto__: null as never,
  ForbiddenByRbac: `client ${client} may not read ${place}, or it does not exist. Give its service principal the role Key Vault Secrets User on that secret or on the vault; a change takes some minutes`,
  AccessDenied: `the vault uses access policies, and none allows client ${client} to get secrets. Add one, or switch the vault to roles`,
  ForbiddenByFirewall:
    "the vault's firewall blocks the address that the broker calls from. Add it to the vault's network rules",
  ForbiddenByConnection: PRIVATE,
  ForbiddenByPolicy: `the access policy of client ${client} also names an application. Make one that names only the client`,
  Unauthorized:
    "it did not accept Entra's token. The connection's tenant must be the vault's tenant, and authority and url must belong to the same cloud",
  BadParameter: "it did not accept the form of the request. Check that the connection's url is the URL of a vault",
  Forbidden: `client ${client} may not read ${place}. Check the vault's access control and its network rules`,
})
