import { IDENTITY_TOKEN_SECONDS } from "../../core/duration.ts"
import type { Secret } from "../../core/secret.ts"
import { call } from "../call.ts"
import { withLogin } from "../login.ts"
import type { ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import {
  type AccessToken,
  buildExchange,
  buildImpersonation,
  type Impersonation,
  iamCredentials,
  readExchange,
  readImpersonation,
  sts,
} from "./api.ts"
import { audienceOf, type LoginSettings } from "./settings.ts"

/** Allows impersonation, and nothing else that a pool's principal may do. */
const IMPERSONATION_SCOPES = ["https://www.googleapis.com/auth/iam"]

/** A login to Google Cloud: the connection and the job's subject. */
export interface GoogleLogin {
  readonly settings: LoginSettings
  readonly connectionName: string
  /** The `sub` of the broker's token, which the pool's provider maps. */
  readonly subject: string
  readonly io: ProviderIo
}

/**
 * A new federated token of the job's own principal in the pool. It is not cached.
 *
 * STS does not allow to choose its lifetime: it is the rest of the lifetime of the broker's own token, and one hour at
 * most. So the broker's token lives at most `ttlSeconds`. A caller that hands the token out must check its end.
 *
 * @throws {BrokerError} `provider_denied`, `provider_throttled`, `provider_unavailable`, `provider_response_invalid`
 */
export async function federatedToken(
  { settings, connectionName, subject, io }: GoogleLogin,
  scopes: readonly string[],
  ttlSeconds: number = IDENTITY_TOKEN_SECONDS,
): Promise<AccessToken> {
  const side = sts(connectionName)
  // Safe to repeat: an exchange uses up nothing, and a token whose answer was lost expires.
  return await retryTransient(io, async () => {
    const token = await io.identityToken(audienceOf(settings), {
      ttlSeconds: Math.min(ttlSeconds, IDENTITY_TOKEN_SECONDS),
    })
    const response = await call(side, buildExchange(settings, scopes, token), io)
    return readExchange(side, response, io.now(), subject)
  })
}

/**
 * Uses a federated token as the provider's own login: a cached one for these `scopes`, this job and grant, or a new one.
 */
export async function withFederatedToken<Result>(
  login: GoogleLogin,
  scopes: readonly string[],
  use: (token: Secret<string>) => Promise<Result>,
): Promise<Result> {
  return await withLogin(login.io, `federated ${scopes.join(" ")}`, () => federatedToken(login, scopes), use)
}

/**
 * An access token of a service account that the job's principal may impersonate.
 *
 * @throws {BrokerError} as `federatedToken`
 */
export async function impersonate(login: GoogleLogin, wanted: Impersonation): Promise<AccessToken> {
  const { settings, connectionName, io } = login
  const side = iamCredentials(connectionName)
  return await withFederatedToken(login, IMPERSONATION_SCOPES, (token) =>
    // Safe to repeat, as Google's own clients do: a token whose answer was lost is never used, and expires.
    retryTransient(io, async () => {
      const response = await call(side, buildImpersonation(settings, wanted, token), io)
      return readImpersonation(side, response, wanted, io.now())
    }),
  )
}
