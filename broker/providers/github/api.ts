import * as z from "zod"
import { memberOf } from "../../core/policy/plain.ts"
import { Secret } from "../../core/secret.ts"
import { readAnswer } from "../../github/answer.ts"
import { installationSchema, installationTokenSchema, tokensPath } from "../../github/installation.ts"
import { apiRequest } from "../../github/request.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { type Call, denied, invalid, type OtherSide, throttled, transientFailure } from "../call.ts"
import { outlives } from "../provider.ts"
import { type Connection, type Grant, MAX_TTL_SECONDS, namesOf } from "./grant.ts"
import { type Asked, refusalOf, remedyFor } from "./refusals.ts"

/** An answer describes each repository in about six thousand bytes. */
const BYTES_A_REPOSITORY = 8 * 1024
const MAX_RESPONSE_BYTES = 64 * 1024
/**
 * Builds the request for the installation on the connection's owner. This route of GitHub works for users and
 * organisations.
 */
export const buildFindInstallation = ({ api_url: apiUrl, owner }: Connection, app: Secret<string>): Call =>
  apiRequest(apiUrl, { method: "GET", path: `/users/${encodeURIComponent(owner)}/installation`, bearer: app })

const ownedInstallationSchema = installationSchema.extend({ account: z.object({ id: z.int().positive() }) })

/**
 * The installation's id.
 *
 * @throws {BrokerError} `provider_denied` when there is none, it is suspended, or another account now has the owner's name
 */
export function readInstallation(side: OtherSide, response: HttpResponse, settings: Connection, now: Date): number {
  const answer = readAnswer(response, { success: 200, conditional: false }, now)
  if (answer.outcome !== "ok") throw refusalOf(side, response, answer, { settings, wanted: null })
  const parsed = ownedInstallationSchema.safeParse(answer.body)
  if (!parsed.success) throw invalid(side, "is not an installation of the App")
  const { id, account, suspended_at: suspendedAt } = parsed.data
  if (String(account.id) !== settings.owner_id) throw denied(side, remedyFor("owner-changed", settings))
  if (suspendedAt) throw denied(side, remedyFor("suspended", settings))
  return id
}

/**
 * Builds the request for a token. Source: REST API, "Create an installation access token for an app".
 *
 * Sends ids if the grant has them, because names can be taken over. The names are then compared with the answer.
 */
export function buildTokenRequest(
  { api_url: apiUrl }: Connection,
  wanted: Grant,
  installation: number,
  app: Secret<string>,
): Call {
  const { repository_ids: ids, permissions } = wanted
  const names = namesOf(wanted)
  const repositories =
    ids === undefined ? { repositories: names } : { repository_ids: [...new Set(ids)].map((id) => Number(id)) }
  const body = { ...repositories, permissions }
  return {
    ...apiRequest(apiUrl, { method: "POST", path: tokensPath(installation), bearer: app, body }),
    maxBytes: MAX_RESPONSE_BYTES + names.length * BYTES_A_REPOSITORY,
  }
}

interface AskedToken extends Asked {
  readonly wanted: Grant
}

/** A token that now exists. It either matches the request and is handed out, or it is `other` and must be revoked. */
export type Given =
  | { readonly outcome: "asked"; readonly token: Secret<string>; readonly expiresAt: Date }
  /** `how` follows "the answer", as in `call.ts`. `expiresAt` is null when the answer does not say it. */
  | { readonly outcome: "other"; readonly token: Secret<string>; readonly expiresAt: Date | null; readonly how: string }

const givenSchema = installationTokenSchema.extend({
  repository_selection: z.string(),
  repositories: z.array(
    z.object({ id: z.int().positive(), name: z.string(), owner: z.object({ id: z.int().positive() }) }),
  ),
})

/**
 * Reads the token, and compares it with the request: the same repositories, the same permissions, one hour at most.
 *
 * @throws {BrokerError} when there is no readable token in the answer
 */
export function readToken(side: OtherSide, response: HttpResponse, asked: AskedToken, now: Date): Given {
  const answer = readAnswer(response, { success: 201, conditional: false }, now)
  if (answer.outcome !== "ok") throw refusalOf(side, response, answer, asked)
  // Read separately: a token is alive even if the rest of the answer is unreadable.
  const text = installationTokenSchema.shape.token.safeParse(memberOf(answer.body, "token"))
  if (!text.success) throw invalid(side, "lacks a token")
  const token = new Secret(text.data)
  const parsed = givenSchema.safeParse(answer.body)
  if (!parsed.success) {
    return {
      outcome: "other",
      token,
      expiresAt: null,
      how: "does not describe the token's repositories and permissions",
    }
  }
  const how = differenceOf(parsed.data, asked, now)
  const expiresAt = new Date(parsed.data.expires_at)
  if (how !== null) return { outcome: "other", token, expiresAt, how }
  return { outcome: "asked", token, expiresAt }
}

/** How a token differs from the request; null when it matches. */
function differenceOf(given: z.infer<typeof givenSchema>, { settings, wanted }: AskedToken, now: Date): string | null {
  const endsAt = new Date(given.expires_at)
  if (!(endsAt.getTime() > now.getTime())) return "has a token that has already expired: check the broker's clock"
  if (outlives(endsAt, now, MAX_TTL_SECONDS)) return "has a token that lives longer than an hour"
  const { repositories } = given
  if (given.repository_selection !== "selected") return "has a token for more than the grant's repositories"
  if (repositories.some(({ owner }) => String(owner.id) !== settings.owner_id))
    return "names repositories of another owner"
  const names = repositories.map(({ name }) => name.toLowerCase())
  const wantedNames = namesOf(wanted).map((name) => name.toLowerCase())
  const ids = repositories.map((repository) => String(repository.id))
  if (!isSameSet(names, wantedNames) || !isSameSet(ids, wanted.repository_ids ?? ids)) {
    return "names other repositories than requested: check whether one was renamed since the grant was written"
  }
  return hasSamePermissions(given.permissions, wanted.permissions)
    ? null
    : "has a token with other permissions than requested"
}

function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  const known = new Set(others)
  return new Set(some).size === known.size && some.every((one) => known.has(one))
}

/** GitHub adds `metadata: read` to every token, and nothing else. */
function hasSamePermissions(given: Readonly<Record<string, string>>, wanted: Grant["permissions"]): boolean {
  const expected = new Map<string, string>(Object.entries({ metadata: "read", ...wanted }))
  const isAllExpected = Object.entries(given).every(([name, level]) => expected.get(name) === level)
  return isAllExpected && Object.keys(wanted).every((name) => Object.hasOwn(given, name))
}

/**
 * Builds the request that revokes a token. The token authenticates it (REST API, "Revoke an installation access token").
 */
export const buildTokenRevocation = (apiUrl: string, token: Secret<string>): Call =>
  apiRequest(apiUrl, { method: "DELETE", path: "/installation/token", bearer: token })

/** `unknown`: GitHub does not know the token, because it has ended, or because it is very new. */
export type End = "ended" | "unknown"

/** @throws {BrokerError} when the token may still be valid */
export function readRevocation(side: OtherSide, response: HttpResponse, now: Date): End {
  const answer = readAnswer(response, { success: 204, conditional: false }, now)
  if (answer.outcome === "ok") return "ended"
  if (answer.outcome === "no-access" && answer.why === "app-rejected") return "unknown"
  if (answer.outcome === "rate-limited") throw throttled(side, answer.retryAfterSeconds)
  throw transientFailure(side, response) ?? denied(side, `it did not revoke the token (HTTP ${response.status})`)
}
