import { IDENTITY_TOKEN_SECONDS } from "../../core/duration.ts"
import type { Secret } from "../../core/secret.ts"
import { call } from "../call.ts"
import { withLogin } from "../login.ts"
import type { ProviderIo } from "../provider.ts"
import { retryPassing } from "../retry.ts"
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

/** Enough to impersonate, and for nothing else that a pool's principal may do. */
const IMPERSONATION_SCOPES = ["https://www.googleapis.com/auth/iam"]

/** Who logs in to Google Cloud, and by which connection. */
export interface GoogleLogin {
  readonly settings: LoginSettings
  readonly connectionName: string
  /** The `sub` of the broker's token, which Google maps. */
  readonly subject: string
  readonly io: ProviderIo
}

/**
 * A federated token of the job's own principal in the pool, fresh and kept nowhere.
 *
 * STS lets nobody choose its lifetime: it is what is left of the broker's own token, and an hour at most. So the broker's
 * token is made to live no longer than `ttlSeconds`; a caller that hands the token out holds its end against what it wanted.
 *
 * @throws {BrokerError} `provider_denied`, `provider_throttled`, `provider_unavailable`, `provider_response_invalid`
 */
export async function federatedToken(
  { settings, connectionName, subject, io }: GoogleLogin,
  scopes: readonly string[],
  ttlSeconds: number = IDENTITY_TOKEN_SECONDS,
): Promise<AccessToken> {
  const side = sts(connectionName)
  // Safe to repeat: an exchange uses nothing up, and what it gave before an answer was lost ends by itself.
  return await retryPassing(io, async () => {
    const token = await io.identityToken(audienceOf(settings), {
      ttlSeconds: Math.min(ttlSeconds, IDENTITY_TOKEN_SECONDS),
    })
    const response = await call(side, buildExchange(settings, scopes, token), io)
    return readExchange(side, response, io.now(), subject)
  })
}

/** Uses a federated token as the provider's own login: one for `scopes` that it made before for this job and grant, or a new one. */
export async function withFederatedToken<Result>(
  login: GoogleLogin,
  scopes: readonly string[],
  use: (token: Secret<string>) => Promise<Result>,
): Promise<Result> {
  return await withLogin(login.io, `federated ${scopes.join(" ")}`, () => federatedToken(login, scopes), use)
}

/**
 * An access token of a service account that lets the job's principal in.
 *
 * @throws {BrokerError} as `federatedToken`
 */
export async function impersonate(login: GoogleLogin, wanted: Impersonation): Promise<AccessToken> {
  const { settings, connectionName, io } = login
  const side = iamCredentials(connectionName)
  return await withFederatedToken(login, IMPERSONATION_SCOPES, (token) =>
    // Safe to repeat, as Google's own clients do: a token whose answer was lost is nobody's, and ends by itself.
    retryPassing(io, async () => {
      const response = await call(side, buildImpersonation(settings, wanted, token), io)
      return readImpersonation(side, response, wanted, io.now())
    }),
  )
}
