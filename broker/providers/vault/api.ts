import type { BrokerError } from "../../core/errors.ts"
import { memberOf } from "../../core/policy/plain.ts"
import type { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { type Call, call, denied, invalid, jsonOf, type OtherSide, passingFailure, unavailable } from "../call.ts"
import type { ProviderIo } from "../provider.ts"

/** One Vault, as calls need it. */
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
      "A standby node of a cluster points at the active one: give the cluster's own address as the connection's url, or let standby nodes forward requests.",
  },
  url,
  namespace,
})

export interface Asked {
  readonly method: "GET" | "POST"
  /** Below `/v1/`: parts that a schema let through, or that stand in this code. */
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
 * @throws {BrokerError} for what passes: throttling, a Vault that is sealed, down or not up to date
 */
export async function ask(vault: Vault, asked: Asked, io: ProviderIo): Promise<HttpResponse> {
  const response = await call(vault.side, build(vault, asked), io)
  const passing = passingOf(vault, response)
  if (passing !== null) throw passing
  return response
}

/** 412: this node has not caught up. 472 and 473: a standby of disaster recovery or performance (Vault's HTTP API). */
const NOT_NOW: ReadonlySet<number> = new Set([412, 472, 473])

/** What passes: worth another try, where another try is safe. Null when the answer is none of that. */
export function passingOf({ side }: Vault, response: HttpResponse): BrokerError | null {
  const { status } = response
  if (status === 503) {
    return unavailable(
      side,
      `is sealed or down for connection ${side.connection} (HTTP 503). See that it is unsealed, and what stands before it`,
    )
  }
  if (NOT_NOW.has(status)) {
    return unavailable(
      side,
      `cannot answer for connection ${side.connection} at this node (HTTP ${status}). Give the address of the active cluster as the connection's url`,
    )
  }
  return passingFailure(side, response)
}

/** Whether one of Vault's errors says this. Texts are compared with phrases of its sources, and never repeated. */
export const says = (response: HttpResponse, phrase: string): boolean =>
  errorsOf(response).some((error) => error.includes(phrase))

function errorsOf(response: HttpResponse): readonly string[] {
  const errors = memberOf(jsonOf(response), "errors")
  return Array.isArray(errors) ? errors.filter((error) => typeof error === "string") : []
}

/**
 * Whether a 403 says that the token itself is no more, rather than what it may not do.
 *
 * Vault from 1.17 on says so in words. OpenBao and older ones answer the bare refusal, where a policy's refusal is one in
 * a list; but so they do to a token from an address that it is not bound to, and then it lives on.
 */
export const isTokenGone = (response: HttpResponse, isBoundToAddresses: boolean): boolean =>
  response.status === 403 &&
  (says(response, "invalid token") || (!isBoundToAddresses && errorsOf(response).join() === "permission denied"))

/** A member that a wrapped answer has in place of its data. */
export function refuseWrapped({ side }: Vault, response: HttpResponse): void {
  const wrapped = memberOf(jsonOf(response), "wrap_info")
  if (wrapped === null || wrapped === undefined) return
  throw invalid(
    side,
    "is wrapped: somebody else would have to unwrap it. Take min_wrapping_ttl and control groups off the policy for this path",
  )
}

/** A refusal that needs no more words than what was asked for. */
export const refused = ({ side }: Vault, { status }: HttpResponse, remedy: string): BrokerError =>
  denied(side, `HTTP ${status}: ${remedy}`)
