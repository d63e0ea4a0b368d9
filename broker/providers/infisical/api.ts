import * as z from "zod"
import { memberOf } from "../../core/policy/plain.ts"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import type { Login } from "../../ports/logins.ts"
import { type Call, denied, invalid, jsonOf, type OtherSide, readJson, transientFailure } from "../call.ts"
import type { Located } from "../read-grant.ts"
import { refuseReference } from "../references.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../stored-value.ts"
import type { Connection, Place } from "./grant.ts"

/** The limit for a value of 64 KiB, escaped, with its comment and tags. */
const MAX_ANSWER_BYTES = 512 * 1024
/** The limit for all secrets of a folder. */
const MAX_FOLDER_BYTES = 2 * 1024 * 1024
/** A login that never expires is renewed after this time. */
const ENDLESS_LOGIN_SECONDS = 3_600

/** Builds the login. Source: Infisical API reference, OIDC Auth, Login. */
export const buildLogin = ({ url, identity_id }: Connection, token: Secret<string>): Call => ({
  method: "POST",
  url: `${url}/api/v1/auth/oidc-auth/login`,
  headers: { accept: "application/json", "content-type": "application/json" },
  body: JSON.stringify({ identityId: identity_id, jwt: token.reveal() }),
})

const login = z.object({
  accessToken: z.string().regex(/^[!-~]{8,8192}$/),
  /** In seconds; zero for a token that never expires. */
  expiresIn: z.int().min(0),
  tokenType: z.literal("Bearer"),
})

/** The access token of a machine identity, with its end. @throws {BrokerError} */
export function readLogin(side: OtherSide, response: HttpResponse, subject: string, now: Date): Login<Secret<string>> {
  refuse(side, response, loginRefusals(subject), "it did not accept the login. Check the connection's identity_id")
  const { accessToken, expiresIn } = readJson(side, response, login, "a login")
  const seconds = expiresIn === 0 ? ENDLESS_LOGIN_SECONDS : expiresIn
  return { value: new Secret(accessToken), endsAt: new Date(now.getTime() + seconds * 1000) }
}

/**
 * Builds the request for one secret of exactly this folder: the shared value, no personal override, and no import from
 * another folder, which a ceiling would not cover. References also lead to other folders, so they are resolved only if the
 * connection enables that. Source: Infisical API reference, Secrets v4, Retrieve.
 */
export const buildRead = (settings: Connection, token: Secret<string>, place: Place): Call =>
  buildGet(settings, token, place, `/${encodeURIComponent(place.name)}`, { type: "shared" }, MAX_ANSWER_BYTES)

/**
 * Builds the request for all secrets of exactly this folder, which has no pages. Versions of Infisical differ in how they
 * spell the parameter for imports. Source: Infisical API reference, Secrets v4, List.
 */
export const buildList = (settings: Connection, token: Secret<string>, place: Place): Call =>
  buildGet(
    settings,
    token,
    place,
    "",
    { recursive: "false", includeImports: "false", includePersonalOverrides: "false" },
    MAX_FOLDER_BYTES,
  )

function buildGet(
  { url, resolve_references }: Connection,
  token: Secret<string>,
  { projectId, environment, path }: Place,
  name: string,
  more: Readonly<Record<string, string>>,
  maxBytes: number,
): Call {
  const query = new URLSearchParams({
    projectId,
    environment,
    secretPath: path,
    ...more,
    viewSecretValue: "true",
    expandSecretReferences: String(resolve_references),
    include_imports: "false",
  })
  return {
    method: "GET",
    url: `${url}/api/v4/secrets${name}?${query}`,
    headers: { accept: "application/json", authorization: `Bearer ${token.reveal()}` },
    maxBytes,
  }
}

const secretOf = z.object({
  workspace: z.string(),
  environment: z.string(),
  secretPath: z.string(),
  secretKey: z.string(),
  type: z.string(),
  secretValue: z.string(),
  secretValueHidden: z.boolean(),
  version: z.int().min(1).optional().catch(undefined),
})
const answer = z.object({ secret: secretOf })
const list = z.object({ secrets: z.array(secretOf) })

/**
 * The secret at this place. Every part of the place is compared with the answer.
 *
 * @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*`
 */
export function readSecret(
  side: OtherSide,
  response: HttpResponse,
  { locator, place }: Located<Place>,
  settings: Pick<Connection, "resolve_references">,
): StoredValue {
  refuseRead(side, response, locator, settings)
  const { secret } = readJson(side, response, answer, "a secret")
  return storedOf(side, secret, { locator, place }, settings)
}

/** All secrets of a folder, by their names. @throws {BrokerError} as `readSecret` */
export function readFolder(
  side: OtherSide,
  response: HttpResponse,
  { locator, place }: Located<Place>,
  settings: Pick<Connection, "resolve_references">,
): readonly (readonly [name: string, stored: StoredValue])[] {
  refuseRead(side, response, locator, settings)
  return readJson(side, response, list, "a list of secrets").secrets.map((secret) => {
    const one = { locator: `a secret of ${locator}`, place: { ...place, name: secret.secretKey } }
    return [secret.secretKey, storedOf(side, secret, one, settings)]
  })
}

function refuseRead(
  side: OtherSide,
  response: HttpResponse,
  locator: string,
  { resolve_references: isResolved }: Pick<Connection, "resolve_references">,
): void {
  // Infisical itself refuses with "NotFound". "Not Found" comes from its web server, for an unknown path.
  if (response.status === 404 && memberOf(jsonOf(response), "error") === "Not Found")
    throw denied(
      side,
      "it does not have version 4 of the API for secrets. Update the server, or check the connection's url",
    )
  if (response.status === 404)
    throw secretNotFound(side, locator, "names a project, environment, folder or secret that does not exist")
  if (response.status === 403 && memberOf(jsonOf(response), "error") === "TokenError")
    throw denied(side, "the login that it gave has expired. Compare the clocks of Infisical and the broker")
  refuse(
    side,
    response,
    {
      401: "it refused the login that it gave before. Check the limit of uses and the trusted addresses of the identity's tokens",
    },
    `the identity may not read ${locator}${isResolved ? ", or a secret that it refers to" : ""}. Add it to the project, with a role that may read values there`,
  )
}

function storedOf(
  side: OtherSide,
  secret: z.output<typeof secretOf>,
  { locator, place }: Located<Place>,
  { resolve_references: isResolved }: Pick<Connection, "resolve_references">,
): StoredValue {
  const { projectId, environment, path, name } = place
  if (
    secret.workspace !== projectId ||
    secret.environment !== environment ||
    secret.secretPath !== path ||
    secret.secretKey !== name ||
    secret.type !== "shared"
  )
    throw invalid(side, "is another secret")
  if (secret.secretValueHidden)
    throw secretUnusable(
      side,
      locator,
      "has a value that is hidden from the identity: give it a role that may read values, because its role may only describe secrets",
    )
  if (!isResolved) refuseReference(side, locator, secret.secretValue)
  const { secretValue, version } = secret
  return { value: new Secret(secretValue), ...(version === undefined ? {} : { version: String(version) }) }
}

/** The meaning of refused logins, by status. Infisical's messages are never repeated. */
const loginRefusals = (subject: string): Readonly<Record<number, string>> => ({
  400: "it does not connect to the broker's URL, most likely because that is a private address for it. On a server of your own, set ALLOW_INTERNAL_IP_CONNECTIONS=true, or make the broker's URL lead to a public address",
  401: "the identity does not accept the broker's token. Compare its discovery URL and issuer with the broker's URL, its audiences with the connection's audience, and its claims with the job's",
  403: `the identity has another subject. It must be exactly the grant's subject: ${subject}`,
  404: "no machine identity with the connection's identity_id has OIDC Auth",
})

function refuse(
  side: OtherSide,
  response: HttpResponse,
  refusals: Readonly<Record<number, string>>,
  otherwise: string,
): void {
  const transient = transientFailure(side, response)
  if (transient !== null) throw transient
  if (response.status !== 200) throw denied(side, refusals[response.status] ?? otherwise)
}
