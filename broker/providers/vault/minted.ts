import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import type { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { call, invalid, readJson, unavailable } from "../call.ts"
import type { ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { secretUnusable } from "../stored-value.ts"
import { type Asked, build, refused, refuseWrapped, transientVaultFailure, type Vault } from "./api.ts"
import type { Engine } from "./engines.ts"
import type { Grant } from "./grant.ts"

/** A lease, with which a secrets engine renews and revokes a credential. */
export interface Lease {
  readonly id: string
  readonly seconds: number
  readonly isRenewable: boolean
  /** Vault's answer has a warning. It may mean that the lease was shortened, and that the credential outlives it. */
  readonly isWarned: boolean
}

/** A credential that a secrets engine minted. */
export interface FreshSecret {
  /** Null when the engine does not manage the credential with a lease. */
  readonly lease: Lease | null
  readonly data: Readonly<Record<string, unknown>>
}

/** The grant's part about minting, with the connection's settings for its path. */
export type DynamicGrant = Pick<Grant, "parameters"> & {
  readonly dynamic: string
  readonly env: NonNullable<Grant["env"]>
  readonly engine: Engine
}

/** Requests with parameters are POSTs; the others are GETs. */
const needsPost = ({ parameters, engine }: DynamicGrant): boolean =>
  parameters !== undefined || engine.ttl_parameter !== undefined

/** Builds the request: a GET, or a POST if there are parameters. */
function buildMint(grant: DynamicGrant, ttlSeconds: number): Asked {
  const { dynamic, parameters, engine } = grant
  if (!needsPost(grant)) return { method: "GET", path: dynamic }
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
    refuseStoredSecret(vault, grant, seconds, data)
    return { lease: null, data }
  }
  if (seconds === 0) throw invalid(vault.side, "has a lease that never ends")
  return { lease: { id, seconds, isRenewable: renewable, isWarned: (warnings ?? []).length > 0 }, data }
}

/**
 * Refuses a secret that is stored in a KV engine instead of minted. Version 2 has a special form. Only version 1 answers
 * with a lifetime but without a lease.
 */
function refuseStoredSecret(
  { side }: Vault,
  { dynamic }: DynamicGrant,
  seconds: number,
  data: FreshSecret["data"],
): void {
  if (seconds === 0 && !("data" in data && "metadata" in data)) return
  const why = "is stored in a KV engine and was not minted: list its mount in the connection's kv, and use read"
  throw secretUnusable(side, dynamic, why)
}

const REMEDIES: Readonly<Record<number, string>> = {
  400: "the engine did not accept the call. Check the name at the end of the path, and the grant's parameters",
  404: "the secrets engine or its role does not exist",
  405: "the path needs another HTTP method: a grant with parameters sends POST, one without sends GET",
}

function refusedMint(vault: Vault, grant: DynamicGrant, response: HttpResponse) {
  const { dynamic } = grant
  const capability = needsPost(grant) ? "update" : "read"
  const forbidden = `the role's policies do not allow to mint there. They need: path "${dynamic}" { capabilities = ["${capability}"] }`
  const remedy = response.status === 403 ? forbidden : (REMEDIES[response.status] ?? "Vault's log has the reason")
  return refused(vault, response, `${dynamic} minted nothing: ${remedy}`)
}

/**
 * Mints once. Only throttling is retried, because Vault has not executed the call. A call without an answer, or one that
 * failed in the engine, may still have minted.
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
  const outcome = await retryTransient(io, async () => {
    try {
      const response = await call(vault.side, request, io)
      const transient = response.status === 500 ? engineFailed(vault, grant) : transientVaultFailure(vault, response)
      if (transient !== null) throw transient
      return response
    } catch (error) {
      if (error instanceof BrokerError && error.code === "provider_unavailable") return error
      throw error
    }
  })
  if (outcome instanceof BrokerError) throw outcome
  return readMinted(vault, grant, outcome)
}

/** Vault reports a failure of the engine's target system as its own failure. */
const engineFailed = ({ side }: Vault, { dynamic }: DynamicGrant) =>
  unavailable(
    side,
    `could not mint at ${dynamic} for connection ${side.connection} (HTTP 500). Check the engine's connection to its target system, and the statements of its role; Vault's log has the reason`,
  )

/**
 * Whether this is a session of a cloud's STS, as the engines of AWS and Alibaba mint it. In some versions it has a lease,
 * but the revocation of that lease does not end the session: these engines let sessions expire.
 */
export function isStsSession(data: FreshSecret["data"]): boolean {
  const has = (name: string) => typeof data[name] === "string" && data[name] !== ""
  return has("access_key") && has("secret_key") && (has("security_token") || has("session_token"))
}
