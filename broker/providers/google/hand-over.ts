import { IDENTITY_TOKEN_SECONDS } from "../../core/duration.ts"
import type { Minted, MintRequest, ProviderIo } from "../provider.ts"
import { impersonationUrl, tokenUrl } from "./api.ts"
import type { Connection, Grant } from "./grant.ts"
import { publicValues } from "./public-values.ts"
import { audienceOf, poolProviderOf } from "./settings.ts"

/**
 * The broker's own token for the pool, with what a file of application default credentials needs beside it (AIP-4117). Google
 * is not called: whether the pool trusts this token is only known when a tool logs in.
 *
 * `expiresAt` is the end of this token. An access token that a tool gets for it lives for as long as the tool asked, up to
 * what Google allows for the account: one hour, and 12 hours for an account with the lifetime extension. The broker sees
 * none of them, so `impersonation-seconds` is what Google's client libraries ask for, and no limit for other code.
 */
export async function handOver(
  { connection: settings, grant: wanted, ttlSeconds }: MintRequest<Connection, Grant>,
  io: ProviderIo,
): Promise<Minted> {
  const { service_account: account } = wanted
  const issuedAtSeconds = Math.floor(io.now().getTime() / 1000)
  const seconds = Math.min(ttlSeconds, IDENTITY_TOKEN_SECONDS)
  const token = await io.identityToken(audienceOf(settings), { ttlSeconds: seconds })
  return {
    format: "google-federated",
    values: {
      "federated-token": { value: token, recorded: "fingerprint" },
      audience: { value: poolProviderOf(settings) },
      "token-url": { value: tokenUrl(settings) },
      ...(account === undefined
        ? {}
        : {
            "impersonation-url": { value: impersonationUrl(settings, account) },
            "impersonation-seconds": { value: String(ttlSeconds) },
          }),
      ...publicValues(settings, wanted),
    },
    expiresAt: new Date((issuedAtSeconds + seconds) * 1000),
    revocation: "expires-only",
  }
}
