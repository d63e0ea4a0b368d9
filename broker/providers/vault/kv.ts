import * as z from "zod"
import { memberOf } from "../../core/policy/plain.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { invalid, jsonOf, readJson } from "../call.ts"
import type { Located } from "../read-grant.ts"
import { secretNotFound, secretUnusable } from "../stored-value.ts"
import { type Asked, refused, refuseWrapped, type Vault } from "./api.ts"
import { apiPathOf, type KvMounts, type KvSecret, type Place, secretAt } from "./locator.ts"

/**
 * The limit for a KV secret, which is at most as large as an entry of Vault's storage: 1 MiB (Vault's documentation,
 * "Limits and maximums").
 */
const MAX_SECRET_BYTES = 1024 * 1024 + 64 * 1024

/** One secret to read, for all locators that select a field of it. */
export interface KvRead extends KvSecret {
  readonly version: number | null
  /** The first locator that requests it, for messages. */
  readonly locator: string
}

/** The reads for these locators: each secret and version once. */
export function readsFor(wanted: readonly Located<Place>[], mounts: KvMounts): ReadonlyMap<string, KvRead> {
  const reads = new Map<string, KvRead>()
  for (const { locator, place } of wanted) {
    const secret = secretAt(place.secret, mounts)
    // The locator was checked against the connection when the policies loaded.
    if (secret === null) throw new TypeError("a locator outside of the connection's KV mounts")
    const key = keyOf(place)
    if (!reads.has(key)) reads.set(key, { ...secret, version: place.version, locator })
  }
  return reads
}

/** The key of a read: equal for all fields of the same version of the same secret. */
export const keyOf = ({ secret, version }: Place): string => `${secret}?${version ?? ""}`

/** Builds the request. Source: the KV engines' HTTP APIs, versions 1 and 2. */
export const buildRead = (read: KvRead): Asked => ({
  method: "GET",
  path: apiPathOf(read),
  ...(read.version === null ? {} : { query: `version=${read.version}` }),
  maxBytes: MAX_SECRET_BYTES,
})

const fields = z.record(z.string(), z.unknown())
const metadata = z.object({ version: z.int().min(1), destroyed: z.boolean() })
const first = z.object({ lease_id: z.literal(""), data: fields })
const second = z.object({ lease_id: z.literal(""), data: z.object({ data: fields, metadata }) })

/** The fields of a secret, with their version where the engine has one. */
export interface KvFields {
  readonly fields: Readonly<Record<string, unknown>>
  readonly version?: string
}

/**
 * The fields of a secret.
 *
 * @throws {BrokerError} `secret_not_found` for one that is absent, deleted or destroyed; `provider_denied` when the
 *   login's policies do not allow the read; `secret_unusable` when an engine mints instead of storing
 */
export function readSecret(vault: Vault, read: KvRead, response: HttpResponse): KvFields {
  const { side } = vault
  const { kv, mount, locator } = read
  const path = apiPathOf(read)
  if (response.status === 404) throw secretNotFound(side, locator, absence(read, response))
  if (response.status === 403)
    throw refused(
      vault,
      response,
      `the role's policies do not allow to read ${locator}. They need: path "${path}" { capabilities = ["read"] }`,
    )
  if (response.status !== 200)
    throw refused(vault, response, `${locator} could not be read. Check that ${mount} is a KV engine of version ${kv}`)
  refuseWrapped(vault, response)
  if (leaseIdOf(response) !== null)
    throw secretUnusable(side, locator, "is minted for each read instead of stored: use a grant with dynamic")
  if (kv === 1) return { fields: readJson(side, response, first, "a secret of a KV engine of version 1").data }
  const { data } = readJson(side, response, second, "a secret of a KV engine of version 2")
  if (read.version !== null && data.metadata.version !== read.version)
    throw invalid(side, "is another version of the secret")
  return { fields: data.data, version: String(data.metadata.version) }
}

/** The lease of an answer; null when it has none. */
export function leaseIdOf(response: HttpResponse): string | null {
  const id = memberOf(jsonOf(response), "lease_id")
  return typeof id === "string" && id !== "" ? id : null
}

const gone = z.object({ data: z.object({ metadata }) })

/** Why there is no secret. Version 2 says whether a version was deleted or destroyed. */
function absence({ mount, kv, version }: KvRead, response: HttpResponse): string {
  const parsed = kv === 2 ? gone.safeParse(jsonOf(response)) : null
  if (parsed?.success) {
    const { destroyed, version: number } = parsed.data.data.metadata
    return destroyed
      ? `was destroyed permanently in version ${number}: write a new version`
      : `was deleted in version ${number}: undelete that version, or write a new one`
  }
  const what = version === null ? "no such secret" : "no such secret or no such version"
  return `does not exist: ${what}, or ${mount} is not a KV engine of version ${kv}`
}
