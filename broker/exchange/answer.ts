import { Secret } from "../core/secret.ts"
import type { MintedValue } from "../providers/provider.ts"
import type { CredentialAnswer, CredentialValue, ExchangeAnswer } from "../wire/exchange.ts"
import type { MintedGrant } from "./mint.ts"

/** Puts the answer together. The one place, beside the providers themselves, where minted secrets are revealed. */
export function answerOf(lease: string, policyVersion: string, minted: readonly MintedGrant[]): ExchangeAnswer {
  const credentials = minted.map(({ granted, minted: credential }): [string, CredentialAnswer] => [
    granted.grant.name,
    {
      provider: granted.grant.connection.provider,
      expires_at: credential.expiresAt?.toISOString() ?? null,
      revocation: credential.revocation,
      values: Object.fromEntries(
        Object.entries(credential.values).map(([name, value]) => [name, credentialValue(value)]),
      ),
    },
  ])
  return {
    lease,
    expires_at: lastEnd(minted),
    policy_version: policyVersion,
    credentials: Object.fromEntries(credentials),
  }
}

const credentialValue = ({ value, env, file }: MintedValue): CredentialValue => ({
  value: value instanceof Secret ? value.reveal() : value,
  secret: value instanceof Secret,
  ...(env === undefined ? {} : { env }),
  ...(file === undefined ? {} : { file }),
})

/** When the last credential ends; one that does not expire by itself ends with the lease, after its granted lifetime. */
function lastEnd(minted: readonly MintedGrant[]): string {
  const ends = minted.map(
    ({ granted, minted: credential, at }) => credential.expiresAt?.getTime() ?? at + granted.ttlSeconds * 1000,
  )
  return new Date(Math.max(...ends)).toISOString()
}
