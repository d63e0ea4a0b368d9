import type { BrokerError } from "../../core/errors.ts"
import { memberOf } from "../../core/policy/plain.ts"
import type { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { type Call, call, denied, invalid, jsonOf, type OtherSide, transientFailure, unavailable } from "../call.ts"
import type { CallIo } from "../provider.ts"

/** The address of one Vault, for calls. */
export interface Vault {
  readonly side: OtherSide
  readonly url: string
  readonly namespace: string | undefined
}

export const vaultOf = (
  connectionName: string,
  { url, namespace }: { readonly url: string; readonly namespace?: string | undefined },
): Vault => ({
  side: {
    name: "Vault",
    connection: connectionName,
    redirects:
      "A standby node of a cluster redirects to the active one: use the cluster's address as the connection's url, or let standby nodes forward requests.",
  },
  url,
  namespace,
})

export interface Asked {
  readonly method: "GET" | "POST"
  /** The path below `/v1/`. Its parts were accepted by a schema, or come from this code. */
  readonly path: string
  readonly query?: string
  readonly token?: Secret<string>
  readonly body?: unknown
  readonly maxBytes?: number
}

export const REVOKE_SELF = "auth/token/revoke-self"

/** Builds a request. Source: Vault's HTTP API, "Overview", which asks for X-Vault-Request on every one. */
export function build({ url, namespace }: Vault, { method, path, query, token, body, maxBytes }: Asked): Call {
  const place = path.split("/").map(encodeURIComponent).join("/")
  return {
    method,
    url: `${url}/v1/${place}${query === undefined ? "" : `?${query}`}`,
    headers: {
      "X-Vault-Request": "true",
      ...(namespace === undefined ? {} : { "X-Vault-Namespace": namespace }),
      ...(token === undefined ? {} : { "X-Vault-Token": token.reveal() }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  }
}

/**
 * Sends one request.
 *
 * @throws {BrokerError} for transient failures: throttling, a Vault that is sealed, down or not up to date
 */
export async function ask(vault: Vault, asked: Asked, io: CallIo): Promise<HttpResponse> {
  const response = await call(vault.side, build(vault, asked), io)
  const transient = transientVaultFailure(vault, response)
  if (transient !== null) throw transient
  return response
}

/** 412: this node has not caught up. 472 and 473: a standby of disaster recovery or performance (Vault's HTTP API). */
const NOT_NOW: ReadonlySet<number> = new Set([412, 472, 473])

/** The error for a transient failure, which is worth a retry if a retry is safe; null for any other answer. */
export function transientVaultFailure({ side }: Vault, response: HttpResponse): BrokerError | null {
  const { status } = response
  if (status === 503) {
    return unavailable(
      side,
      `is sealed or down for connection ${side.connection} (HTTP 503). Check that it is unsealed, and check the proxies before it`,
    )
  }
  if (NOT_NOW.has(status)) {
    return unavailable(
      side,
      `cannot answer for connection ${side.connection} at this node (HTTP ${status}). Use the address of the active cluster as the connection's url`,
    )
  }
  return transientFailure(side, response)
}

/** Whether one of Vault's errors contains this phrase. Vault's texts are only compared, and never repeated. */
export const says = (response: HttpResponse, phrase: string): boolean =>
  errorsOf(response).some((error) => error.includes(phrase))

function errorsOf(response: HttpResponse): readonly string[] {
  const errors = memberOf(jsonOf(response), "errors")
  return Array.isArray(errors) ? errors.filter((error) => typeof error === "string") : []
}

/**
 * Whether a 403 means that the token no longer exists, rather than that it lacks a permission.
 *
 * Vault 1.17 and newer says so in words. OpenBao and older versions send only the bare refusal, while a policy's refusal is
 * one of several errors. But they send the same bare refusal when the token is used from an address that it is not bound
 * to, and then the token is still alive.
 */
export const isTokenGone = (response: HttpResponse, isBoundToAddresses: boolean): boolean =>
  response.status === 403 &&
  (says(response, "invalid token") || (!isBoundToAddresses && errorsOf(response).join() === "permission denied"))

/** Refuses a wrapped answer, which has a token instead of its data. */
export function refuseWrapped({ side }: Vault, response: HttpResponse): void {
  const wrapped = memberOf(jsonOf(response), "wrap_info")
  if (wrapped === null || wrapped === undefined) return
  throw invalid(
    side,
    "is wrapped and cannot be read. Remove min_wrapping_ttl and control groups from the policy for this path",
  )
}

/** A refusal with the HTTP status and the remedy. */
export const refused = ({ side }: Vault, { status }: HttpResponse, remedy: string): BrokerError =>
  denied(side, `HTTP ${status}: ${remedy}`)
