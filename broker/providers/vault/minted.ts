import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import type { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { call, invalid, readJson, unavailable } from "../call.ts"
import type { ProviderIo } from "../provider.ts"
import { retryPassing } from "../retry.ts"
import { secretUnusable } from "../stored-value.ts"
import { type Asked, build, passingOf, refused, refuseWrapped, type Vault } from "./api.ts"
import type { Engine } from "./engines.ts"
import type { Grant } from "./grant.ts"

/** A lease: what a secrets engine can renew, and takes its credential back with. */
export interface Lease {
  readonly id: string
  readonly seconds: number
  readonly isRenewable: boolean
  /** Vault warned of something: of having cut the lease, among others, which what was minted may outlive then. */
  readonly isWarned: boolean
}

/** What a secrets engine minted. */
export interface FreshSecret {
  /** Null for what the engine keeps no account of. */
  readonly lease: Lease | null
  readonly data: Readonly<Record<string, unknown>>
}

/** The grant's part about minting, and what the connection says of its path. */
export type DynamicGrant = Pick<Grant, "parameters"> & {
  readonly dynamic: string
  readonly env: NonNullable<Grant["env"]>
  readonly engine: Engine
}

/** Engines that are to be told something are posted to; the others are read. */
const posts = ({ parameters, engine }: DynamicGrant): boolean =>
  parameters !== undefined || engine.ttl_parameter !== undefined

/** Builds the request: a GET, or a POST for an engine that wants to be told something. */
function buildMint(grant: DynamicGrant, ttlSeconds: number): Asked {
  const { dynamic, parameters, engine } = grant
  if (!posts(grant)) return { method: "GET", path: dynamic }
  const { ttl_parameter: ttlParameter } = engine
  const lifetime = ttlParameter === undefined ? {} : { [ttlParameter]: `${ttlSeconds}s` }
  return { method: "POST", path: dynamic, body: { ...parameters, ...lifetime } }
}

const leaseId = z.string().regex(/^[!-~]{1,1024}$/)
const secret = z.object({
  lease_id: z.union([z.literal(""), leaseId]),
  lease_duration: z.int().min(0),
  renewable: z.boolean(),
  data: z.record(z.string(), z.unknown()),
  warnings: z.array(z.unknown()).nullish(),
})

/** @throws {BrokerError} `provider_denied` with what to change, `provider_unavailable`, `provider_response_invalid` */
function readMinted(vault: Vault, grant: DynamicGrant, response: HttpResponse): FreshSecret {
  if (response.status !== 200) throw refusedMint(vault, grant, response)
  refuseWrapped(vault, response)
  const answer = readJson(vault.side, response, secret, "a secret")
  const { lease_id: id, lease_duration: seconds, renewable, data, warnings } = answer
  if (id === "") {
    refuseKept(vault, grant, seconds, data)
    return { lease: null, data }
  }
  if (seconds === 0) throw invalid(vault.side, "has a lease without an end")
  return { lease: { id, seconds, isRenewable: renewable, isWarned: (warnings ?? []).length > 0 }, data }
}

/**
 * Refuses what was not minted and lies in a KV engine: version 2 has its own form, and version 1 tells a lifetime without
 * a lease, as nothing else does.
 */
function refuseKept({ side }: Vault, { dynamic }: DynamicGrant, seconds: number, data: FreshSecret["data"]): void {
  if (seconds === 0 && !("data" in data && "metadata" in data)) return
  const why = "is kept in a KV engine and was not minted: list its mount in the connection's kv, and read it"
  throw secretUnusable(side, dynamic, why)
}

const REMEDIES: Readonly<Record<number, string>> = {
  400: "the engine did not take the call. Check the name at the end of the path, and the grant's parameters",
  404: "there is no secrets engine, or no such role of one",
  405: "the path takes another method: a grant with parameters posts, one without reads",
}

function refusedMint(vault: Vault, grant: DynamicGrant, response: HttpResponse) {
  const { dynamic } = grant
  const capability = posts(grant) ? "update" : "read"
  const forbidden = `the role's policies do not let it mint there. They need: path "${dynamic}" { capabilities = ["${capability}"] }`
  const remedy = response.status === 403 ? forbidden : (REMEDIES[response.status] ?? "Vault's log has the reason")
  return refused(vault, response, `${dynamic} minted nothing: ${remedy}`)
}

/**
 * Mints once. Only throttling is tried again, since Vault turned that away: a call that got no answer, or failed in the
 * engine, may have minted all the same.
 *
 * @throws {BrokerError}
 */
export async function mintOnce(
  vault: Vault,
  grant: DynamicGrant,
  token: Secret<string>,
  ttlSeconds: number,
  io: ProviderIo,
): Promise<FreshSecret> {
  const request = build(vault, { ...buildMint(grant, ttlSeconds), token })
  const outcome = await retryPassing(io, async () => {
    try {
      const response = await call(vault.side, request, io)
      const passing = response.status === 500 ? engineFailed(vault, grant) : passingOf(vault, response)
      if (passing !== null) throw passing
      return response
    } catch (error) {
      if (error instanceof BrokerError && error.code === "provider_unavailable") return error
      throw error
    }
  })
  if (outcome instanceof BrokerError) throw outcome
  return readMinted(vault, grant, outcome)
}

/** Vault tells a failure of what the engine mints for as one of its own. */
const engineFailed = ({ side }: Vault, { dynamic }: DynamicGrant) =>
  unavailable(
    side,
    `could not mint at ${dynamic} for connection ${side.connection} (HTTP 500). Check the engine's connection to what it mints for, and the statements of its role; Vault's log has the reason`,
  )

/**
 * Whether this is a session of a cloud's STS, as the engines of AWS and Alibaba mint it. It stands under a lease in some
 * versions, and taking that back ends nothing: such an engine leaves sessions to expire.
 */
export function isStsSession(data: FreshSecret["data"]): boolean {
  const has = (name: string) => typeof data[name] === "string" && data[name] !== ""
  return has("access_key") && has("secret_key") && (has("security_token") || has("session_token"))
}
