import * as z from "zod"
import { memberOf } from "../../core/policy/plain.ts"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import type { Login } from "../../ports/logins.ts"
import { type Call, denied, invalid, jsonOf, type OtherSide, passingFailure, readJson } from "../call.ts"
import type { Located } from "../read-grant.ts"
import { refuseReference } from "../references.ts"
import { type StoredValue, secretNotFound, secretUnusable } from "../stored-value.ts"
import type { Connection, Place } from "./grant.ts"

/** A value of 64 KiB, escaped, with its comment and tags. */
const MAX_ANSWER_BYTES = 512 * 1024
/** A login without an end is made again after this time. */
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
  /** In seconds; zero for a token without an end. */
  expiresIn: z.int().min(0),
  tokenType: z.literal("Bearer"),
})

/** The access token of a machine identity, and when Infisical ends it. @throws {BrokerError} */
export function readLogin(side: OtherSide, response: HttpResponse, subject: string, now: Date): Login<Secret<string>> {
  refuse(side, response, loginRefusals(subject), "it did not accept the login. Check the connection's identity_id")
  const { accessToken, expiresIn } = readJson(side, response, login, "a login")
  const seconds = expiresIn === 0 ? ENDLESS_LOGIN_SECONDS : expiresIn
  return { value: new Secret(accessToken), endsAt: new Date(now.getTime() + seconds * 1000) }
}

/**
 * Builds the request for one secret as it stands in its folder: shared, not somebody's personal override, and not imported
 * from elsewhere, where a ceiling would not look. References lead elsewhere too: they are resolved, as Infisical's own clients
 * do it, where the connection says so alone. Source: Infisical API reference, Secrets v4, Retrieve.
 */
export function buildRead({ url, resolve_references }: Connection, token: Secret<string>, place: Place): Call {
  const { projectId, environment, path, name } = place
  const query = new URLSearchParams({
    projectId,
    environment,
    secretPath: path,
    type: "shared",
    viewSecretValue: "true",
    expandSecretReferences: String(resolve_references),
    include_imports: "false",
  })
  return {
    method: "GET",
    url: `${url}/api/v4/secrets/${encodeURIComponent(name)}?${query}`,
    headers: { accept: "application/json", authorization: `Bearer ${token.reveal()}` },
    maxBytes: MAX_ANSWER_BYTES,
  }
}

const answer = z.object({
  secret: z.object({
    workspace: z.string(),
    environment: z.string(),
    secretPath: z.string(),
    secretKey: z.string(),
    type: z.string(),
    secretValue: z.string(),
    secretValueHidden: z.boolean(),
  }),
})

/**
 * The secret that stands at this place, held against it part by part.
 *
 * @throws {BrokerError} `secret_not_found`, `secret_unusable`, `provider_*`
 */
export function readSecret(
  side: OtherSide,
  response: HttpResponse,
  { locator, place }: Located<Place>,
  { resolve_references: isResolved }: Pick<Connection, "resolve_references">,
): StoredValue {
  // Infisical's own refusals are called NotFound, its web server's, for a path that it does not serve, Not Found.
  if (response.status === 404 && memberOf(jsonOf(response), "error") === "Not Found")
    throw denied(
      side,
      "it does not serve version 4 of the API for secrets. Update the server, or check the connection's url",
    )
  if (response.status === 404)
    throw secretNotFound(side, locator, "names a project, environment, folder or secret that is not there")
  refuse(
    side,
    response,
    {
      401: "it does not take the login that it gave before. See the limit of uses and the trusted addresses of the identity's tokens",
    },
    `the identity may not read ${locator}${isResolved ? ", or a secret that it refers to" : ""}. Make it a member of the project, with a role that may read values there`,
  )
  const { secret } = readJson(side, response, answer, "a secret")
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
      "has a value that is hidden from the identity: its role may describe secrets, and not read values",
    )
  if (!isResolved) refuseReference(side, locator, secret.secretValue)
  return { value: new Secret(secret.secretValue) }
}

/** What refused logins mean, by status. The sentences that Infisical sends along are never repeated. */
const loginRefusals = (subject: string): Readonly<Record<number, string>> => ({
  401: "the identity does not admit the broker's token. Compare its discovery URL and issuer with the broker's URL, its audiences with the connection's audience, and its claims with the job's",
  403: `the identity's subject is another. It must be the grant's, to the letter: ${subject}`,
  404: "there is no machine identity of the connection's identity_id with OIDC Auth",
})

function refuse(
  side: OtherSide,
  response: HttpResponse,
  refusals: Readonly<Record<number, string>>,
  otherwise: string,
): void {
  const passing = passingFailure(side, response)
  if (passing !== null) throw passing
  if (response.status !== 200) throw denied(side, refusals[response.status] ?? otherwise)
}
