import * as z from "zod"
import type { BrokerError } from "../../../core/errors.ts"
import { memberOf } from "../../../core/policy/plain.ts"
import { Secret } from "../../../core/secret.ts"
import type { HttpResponse } from "../../../ports/http.ts"
import { type Call, denied, invalid, jsonOf, type OtherSide, readJson, transientFailure } from "../../call.ts"
import type { Located } from "../../read-grant.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../../stored-value.ts"
import { type Connection, type Place, vaultUrl } from "./grant.ts"
import { refusalsOf, UNUSABLE } from "./refusals.ts"
import { API_VERSION } from "./vaults.ts"

/** The limit for a value of 25 KB, the maximum in Key Vault, with each character escaped, and its tags. */
const MAX_ANSWER_BYTES = 256 * 1024

/** Builds the request for one secret. Source: Azure Key Vault REST API reference, Secrets, Get Secret. */
export function buildGet(settings: Connection, token: Secret<string>, { name, version }: Place): Call {
  const path = version === null ? name : `${name}/${version}`
  return {
    method: "GET",
    url: `${vaultUrl(settings)}/secrets/${path}?api-version=${API_VERSION}`,
    headers: { accept: "application/json", authorization: `Bearer ${token.reveal()}` },
    maxBytes: MAX_ANSWER_BYTES,
  }
}

const answer = z.object({
  value: z.string(),
  id: z.string(),
  attributes: z.object({
    enabled: z.boolean(),
    /** In seconds since 1970, as in RFC 7519. */
    nbf: z.int().nullish(),
    exp: z.int().nullish(),
  }),
})

/**
 * The value of the requested secret. The answer's id and dates are checked: Key Vault also returns secrets that have
 * expired or are not valid yet, and leaves that check to its clients.
 *
 * @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*`
 */
export function readSecret(
  side: OtherSide,
  response: HttpResponse,
  settings: Connection,
  { locator, place }: Located<Place>,
  now: Date,
): StoredValue {
  if (response.status !== 200) throw refusalOf(side, response, settings, locator)
  const { value, id, attributes } = readJson(side, response, answer, "a secret with its attributes")
  if (!isIdOf(id, settings, place)) throw invalid(side, "is another secret, or another version of it")
  const { enabled, nbf, exp } = attributes
  const seconds = now.getTime() / 1000
  const unusable = (why: string) => secretUnusable(side, locator, why)
  if (!enabled) throw unusable("is disabled")
  if (typeof nbf === "number" && nbf > seconds) throw unusable("is not valid yet: check its activation date")
  if (typeof exp === "number" && exp <= seconds) throw unusable("has expired: check its expiration date")
  return { value: new Secret(value), version: id.slice(id.lastIndexOf("/") + 1).toLowerCase() }
}

/** Whether an id fits the requested place. Ids always have a version, and their case does not count. */
function isIdOf(id: string, settings: Connection, { name, version }: Place): boolean {
  if (!URL.canParse(id)) return false
  const said = new URL(id).href.toLowerCase()
  const secret = `${vaultUrl(settings)}/secrets/${name}/`
  return version === null
    ? said.startsWith(secret) && /^[0-9a-f]{32}$/.test(said.slice(secret.length))
    : said === `${secret}${version}`
}

/** Only Key Vault's codes are used. The inner code comes first, because it says why something is forbidden. */
function refusalOf(side: OtherSide, response: HttpResponse, settings: Connection, locator: string): BrokerError {
  const transient = transientFailure(side, response)
  if (transient !== null) return transient
  const error = memberOf(jsonOf(response), "error")
  const inner = memberOf(error, "innererror") ?? memberOf(error, "innerError")
  const codes = [memberOf(inner, "code"), memberOf(error, "code")].filter((code) => typeof code === "string")
  if (codes.length === 0)
    return denied(side, "the answer does not have the form of Key Vault. Check the connection's vault or url")
  if (codes.includes("SecretNotFound"))
    return secretNotFound(side, locator, "names a secret or a version that does not exist, or is deleted")
  const refusals = refusalsOf(settings, locator)
  for (const code of codes) {
    if (UNUSABLE[code] !== undefined) return secretUnusable(side, locator, UNUSABLE[code])
    if (refusals[code] !== undefined) return denied(side, `${code}: ${refusals[code]}`)
  }
  return denied(side, "the vault's diagnostic logs have the reason, as AuditEvent")
}
