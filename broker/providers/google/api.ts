import * as z from "zod"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import type { Login } from "../../ports/logins.ts"
import { type Call, invalid, type OtherSide, readJson } from "../call.ts"
import { outlives } from "../provider.ts"
import { BEARER } from "../service.ts"
import { IAM_REFUSALS, readRefusal, stsRefusals } from "./refusals.ts"
import { type LoginSettings, poolProviderOf } from "./settings.ts"

/** The longest lifetime of a federated token, in seconds. */
const MAX_FEDERATED_SECONDS = 3_600

/** STS documents 12,288 bytes, and reserves the right to send more. */
const MAX_TOKEN_CHARACTERS = 16_384

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
const JWT = "urn:ietf:params:oauth:token-type:jwt"

export const sts = (connection: string): OtherSide => ({ name: "Google STS", connection })
export const iamCredentials = (connection: string): OtherSide => ({ name: "Google IAM", connection })

/** A Google access token with its end. */
export type AccessToken = Login<Secret<string>>

/** A requested token of a service account: the account, the scopes and the lifetime. */
export interface Impersonation {
  readonly account: string
  readonly scopes: readonly string[]
  readonly delegates: readonly string[]
  readonly lifetimeSeconds: number
}

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json" }

/**
 * Builds the exchange of the broker's token for a federated one. Sends no `Authorization`, because the call can fail with
 * it. Source: Security Token Service API reference, v1.token.
 */
export function buildExchange(settings: LoginSettings, scopes: readonly string[], token: Secret<string>): Call {
  return {
    method: "POST",
    url: tokenUrl(settings),
    headers: JSON_HEADERS,
    body: JSON.stringify({
      grantType: TOKEN_EXCHANGE,
      audience: poolProviderOf(settings),
      scope: scopes.join(" "),
      requestedTokenType: ACCESS_TOKEN,
      subjectTokenType: JWT,
      subjectToken: token.reveal(),
    }),
  }
}

const bearer = z.string().max(MAX_TOKEN_CHARACTERS).regex(BEARER)

const exchanged = z.object({
  access_token: bearer,
  issued_token_type: z.literal(ACCESS_TOKEN),
  token_type: z.string().regex(/^bearer$/i),
  // Left out when the exchanged token is about to expire.
  expires_in: z.int().positive(),
})

/**
 * Reads STS's answer.
 *
 * @param subject the `sub` of the broker's token; its length may be the reason of a refusal
 * @throws {BrokerError} `provider_denied`, a transient failure, or `provider_response_invalid`
 */
export function readExchange(side: OtherSide, response: HttpResponse, now: Date, subject: string): AccessToken {
  if (response.status !== 200)
    throw readRefusal(side, response, stsRefusals(new TextEncoder().encode(subject).byteLength))
  const answer = readJson(side, response, exchanged, "an access token with an end")
  const endsAt = new Date(now.getTime() + answer.expires_in * 1000)
  if (outlives(endsAt, now, MAX_FEDERATED_SECONDS))
    throw invalid(side, "has a token that lives longer than federated tokens can")
  return { value: new Secret(answer.access_token), endsAt }
}

/**
 * Builds the impersonation. Source: IAM Service Account Credentials API reference,
 * projects.serviceAccounts.generateAccessToken.
 */
export function buildImpersonation(settings: LoginSettings, wanted: Impersonation, login: Secret<string>): Call {
  const { account, scopes, delegates, lifetimeSeconds } = wanted
  return {
    method: "POST",
    url: impersonationUrl(settings, account),
    headers: { ...JSON_HEADERS, authorization: `Bearer ${login.reveal()}` },
    body: JSON.stringify({
      ...(delegates.length === 0 ? {} : { delegates: delegates.map(nameOf) }),
      scope: scopes,
      lifetime: `${lifetimeSeconds}s`,
    }),
  }
}

/** Where the broker's token is exchanged. */
export const tokenUrl = (settings: LoginSettings): string => `${settings.sts_endpoint}/v1/token`

/** Where a token of the account is generated. */
export const impersonationUrl = (settings: LoginSettings, account: string): string =>
  `${settings.iam_credentials_endpoint}/v1/${nameOf(account)}:generateAccessToken`

/** Google requires a dash instead of the project, and uses the account's own project. */
const nameOf = (account: string) => `projects/-/serviceAccounts/${account}`

const impersonated = z.object({ accessToken: bearer, expireTime: z.iso.datetime({ offset: true }) })

/**
 * Reads the answer of generateAccessToken and checks the requested lifetime. The answer names neither the account nor the
 * scopes, so these cannot be checked.
 *
 * @throws {BrokerError} `provider_denied`, a transient failure, or `provider_response_invalid`
 */
export function readImpersonation(
  side: OtherSide,
  response: HttpResponse,
  { lifetimeSeconds }: Pick<Impersonation, "lifetimeSeconds">,
  now: Date,
): AccessToken {
  if (response.status !== 200) throw readRefusal(side, response, IAM_REFUSALS)
  const answer = readJson(side, response, impersonated, "an access token with an end")
  const endsAt = new Date(answer.expireTime)
  if (endsAt.getTime() <= now.getTime()) throw invalid(side, "has a token that has already expired")
  if (outlives(endsAt, now, lifetimeSeconds)) throw invalid(side, "has a token that lives longer than requested")
  return { value: new Secret(answer.accessToken), endsAt }
}
