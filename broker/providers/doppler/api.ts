import * as z from "zod"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import type { Login } from "../../ports/logins.ts"
import { type Call, denied, invalid, type OtherSide, readJson, transientFailure } from "../call.ts"
import type { Located } from "../read-grant.ts"
import { refuseReference } from "../references.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../stored-value.ts"
import type { Connection, Place } from "./grant.ts"

/** The limit for all secrets of one config that a grant may request, each in raw and computed form. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024

/** Builds the login. Source: Doppler API reference, OIDC (Service Account Identity). */
export const buildLogin = ({ url, identity }: Connection, token: Secret<string>): Call => ({
  method: "POST",
  url: `${url}/v3/auth/oidc`,
  headers: { accept: "application/json", "content-type": "application/json" },
  body: JSON.stringify({ identity, token: token.reveal() }),
})

const login = z.object({
  token: z.string().regex(/^[!-~]{8,4096}$/),
  expires_at: z.iso.datetime({ offset: true }),
})

/** The token of a service account, with its end. @throws {BrokerError} */
export function readLogin(side: OtherSide, response: HttpResponse, subject: string, now: Date): Login<Secret<string>> {
  refuse(side, response, loginRefused(subject))
  const { token, expires_at } = readJson(side, response, login, "a login")
  const endsAt = new Date(expires_at)
  if (endsAt.getTime() <= now.getTime()) throw invalid(side, "is a login that has already expired")
  return { value: new Secret(token), endsAt }
}

/**
 * Builds the request for only these secrets of one config, or for all that people have set. Dynamic secrets are excluded:
 * reading them would issue a lease that the broker could not end. Source: Doppler API reference, Secrets, List.
 */
export function buildRead(
  { url }: Connection,
  token: Secret<string>,
  { project, config }: Pick<Place, "project" | "config">,
  names: readonly string[] | "all",
): Call {
  const query = new URLSearchParams({
    project,
    config,
    // Doppler itself adds DOPPLER_PROJECT and the like to every config, and manages them.
    ...(names === "all" ? { include_managed_secrets: "false" } : { secrets: names.join(",") }),
    include_dynamic_secrets: "false",
  })
  return {
    method: "GET",
    url: `${url}/v3/configs/config/secrets?${query}`,
    headers: { accept: "application/json", authorization: `Bearer ${token.reveal()}` },
    maxBytes: MAX_ANSWER_BYTES,
  }
}

const answer = z.object({ secrets: z.record(z.string(), z.unknown()) })
/** Null when Doppler withholds the value, or when there is no such secret. */
const value = z.string().nullable().optional()
/**
 * Each value as written (raw), and with its references resolved (computed). Visibilities are `unmasked`, `masked` or
 * `restricted`.
 */
const secret = z.object({
  raw: value,
  computed: value,
  rawVisibility: z.unknown().optional(),
  computedVisibility: z.unknown().optional(),
})

/**
 * The secrets at these places of one config by their locators, or all that the config has: as written, or with their
 * references resolved if the connection enables that. Only a value that Doppler shows unmasked is public.
 *
 * @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*`
 */
export function readSecrets(
  side: OtherSide,
  response: HttpResponse,
  wanted: readonly Located<Place>[] | { readonly folder: string },
  { resolve_references: isResolved }: Pick<Connection, "resolve_references">,
): readonly (readonly [string, StoredValue])[] {
  const first = "folder" in wanted ? wanted.folder : (wanted[0]?.locator ?? "")
  if (response.status === 404)
    throw secretNotFound(
      side,
      first,
      "names a project or a config that does not exist, or that this service account may not see",
    )
  refuse(
    side,
    response,
    response.status === 401
      ? "it refused the login that it gave before. Check that the identity still exists"
      : `the service account may not read the config of ${first}. Give it access to that environment of the project, with a role that may read secrets`,
  )
  const { secrets } = readJson(side, response, answer, "a list of secrets")
  const places = "folder" in wanted ? Object.keys(secrets).map((name) => inFolder(wanted.folder, name)) : wanted
  return places.map(({ locator, place: { name } }) => {
    if (!Object.hasOwn(secrets, name))
      throw secretNotFound(side, locator, "names a secret that the config does not have")
    const { raw, computed, rawVisibility, computedVisibility } = secret.safeParse(secrets[name]).data ?? {}
    // Doppler answers for a name that does not exist with every member null. A withheld value still has its visibility.
    if (raw === null && computed === null && (rawVisibility ?? computedVisibility ?? null) === null)
      throw secretNotFound(side, locator, "names a secret that the config does not have")
    const [value, visibility] = isResolved ? [computed, computedVisibility] : [raw, rawVisibility]
    if (value === undefined) throw invalid(side, "has a secret in an unexpected form")
    if (value === null)
      throw secretUnusable(
        side,
        locator,
        "has a value that Doppler withholds from this login, as it does with restricted secrets from a person's tokens. Check that the identity belongs to a service account",
      )
    if (!isResolved) refuseReference(side, locator, value)
    return [locator, { value: new Secret(value), isPublic: visibility === "unmasked" }] as const
  })
}

const inFolder = (folder: string, name: string) => ({ locator: `${folder}${name}`, place: { name } })

const loginRefused = (subject: string) =>
  `the identity does not exist, or does not accept the broker's token. Compare its discovery URL with the broker's URL, its rule for aud with the connection's audience, and its rule for sub with the grant's subject, ${subject}`

/** Doppler gives the reason of a refusal only in messages, which are never repeated. So the caller supplies the remedy. */
function refuse(side: OtherSide, response: HttpResponse, remedy: string): void {
  const transient = transientFailure(side, response)
  if (transient !== null) throw transient
  if (response.status !== 200) throw denied(side, remedy)
}
