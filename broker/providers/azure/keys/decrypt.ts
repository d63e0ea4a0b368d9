import * as z from "zod"
import type { BrokerError } from "../../../core/errors.ts"
import { memberOf } from "../../../core/policy/plain.ts"
import type { Secret } from "../../../core/secret.ts"
import type { HttpResponse } from "../../../ports/http.ts"
import { bytesOfBase64 } from "../../bytes.ts"
import { type Call, call, denied, invalid, jsonOf, type OtherSide, readJson, transientFailure } from "../../call.ts"
import type { KeyRequest, KeyThrough, WrappedKey } from "../../key-service.ts"
import { withLogin } from "../../login.ts"
import type { ProviderIo } from "../../provider.ts"
import { retryTransient } from "../../retry.ts"
import type { Connection } from "../grant.ts"
import { API_VERSION, scopeOfVault } from "../key-vault/vaults.ts"
import { logIn } from "../login.ts"
import { sideOf } from "../wish.ts"
import { type Entry, keyParts } from "./key.ts"

/** @throws {BrokerError} `provider_*` */
export async function decrypt(
  wrapped: WrappedKey,
  { entry, settings }: KeyThrough<Entry, Connection>,
  { connectionName, subject }: KeyRequest,
  io: ProviderIo,
): Promise<Uint8Array<ArrayBuffer>> {
  const side: OtherSide = { name: "Azure Key Vault", connection: connectionName }
  const scope = scopeOfVault(keyParts(entry.key).vault)
  const wish = { settings, clientId: entry.client_id, scope, subject }
  const make = () => logIn(sideOf(connectionName), wish, io)
  return await withLogin(io, `${entry.client_id} ${scope}`, make, (token) =>
    retryTransient(io, async () =>
      readPlaintext(side, await call(side, buildDecrypt(entry, token, wrapped), io), entry, wrapped),
    ),
  )
}

/**
 * Builds the request. The vault is the one in the organisation's file, never the file's own. SOPS encrypts with RSA-OAEP-256
 * alone. Source: Azure Key Vault REST API reference, Keys, Decrypt.
 */
export function buildDecrypt({ key }: Entry, token: Secret<string>, { version, ciphertext }: WrappedKey): Call {
  const { vault, name } = keyParts(key)
  return {
    method: "POST",
    url: `${vault}/keys/${name}/${version}/decrypt?api-version=${API_VERSION}`,
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      authorization: `Bearer ${token.reveal()}`,
    },
    body: JSON.stringify({ alg: "RSA-OAEP-256", value: ciphertext }),
  }
}

const answer = z.object({ kid: z.string(), value: z.base64url() })

/** @throws {BrokerError} `provider_*` */
export function readPlaintext(
  side: OtherSide,
  response: HttpResponse,
  { key, client_id: client }: Entry,
  { version }: WrappedKey,
): Uint8Array<ArrayBuffer> {
  if (response.status !== 200) throw refusalOf(side, response, key, client)
  const { kid, value } = readJson(side, response, answer, "a decrypted key")
  const { vault, name } = keyParts(key)
  // Key Vault ignores the case of names.
  if (kid.toLowerCase() !== `${vault}/keys/${name}/${version}`.toLowerCase()) throw invalid(side, "is for another key")
  return bytesOfBase64(value.replaceAll("-", "+").replaceAll("_", "/"))
}

/** Codes of Key Vault, with the end of a sentence. Sources: as for reading secrets. */
const refusals = (key: string, client: string): Readonly<Record<string, string>> => ({
  __proto__: null as never,
  KeyNotFound: `the key ${key} does not exist, or has no such version`,
  KeyDisabled: `the version of ${key} that the file names is disabled`,
  KeyExpired: `the version of ${key} that the file names has expired`,
  KeyNotYetValid: `the version of ${key} that the file names is not valid yet`,
  ForbiddenByRbac: `client ${client} may not decrypt with ${key}. Give its service principal the role Key Vault Crypto User on that key; a change takes some minutes`,
  AccessDenied: `the vault uses access policies, and none allows client ${client} to decrypt. Add one, or switch the vault to roles`,
  ForbiddenByFirewall:
    "the vault's firewall blocks the address that the broker calls from. Add it to the vault's network rules",
  ForbiddenByConnection:
    "the vault allows only private endpoints. Run the broker in a network that is linked to the vault",
  ForbiddenByPolicy: `the access policy of client ${client} also names an application. Make one that names only the client`,
  Unauthorized: "it did not accept Entra's token. The connection's tenant must be the vault's tenant",
  BadParameter: `the key ${key} did not encrypt this file's data key. Restore the file from Git, or run sops updatekeys on it`,
  Forbidden: `client ${client} may not decrypt with ${key}, or its version is disabled. Check the vault's access control and its network rules`,
})

/** Only Key Vault's codes are used. The inner code comes first, because it says why something is forbidden. */
function refusalOf(side: OtherSide, response: HttpResponse, key: string, client: string): BrokerError {
  const transient = transientFailure(side, response)
  if (transient !== null) return transient
  const error = memberOf(jsonOf(response), "error")
  const inner = memberOf(error, "innererror") ?? memberOf(error, "innerError")
  const codes = [memberOf(inner, "code"), memberOf(error, "code")].filter((code) => typeof code === "string")
  if (codes.length === 0) return denied(side, `the answer does not have the form of Key Vault. Check the key ${key}`)
  const known = refusals(key, client)
  const code = codes.find((one) => known[one] !== undefined)
  return code === undefined
    ? denied(side, "the vault's diagnostic logs have the reason, as AuditEvent")
    : denied(side, `${code}: ${known[code]}`)
}
