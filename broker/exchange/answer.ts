import { Secret } from "../core/secret.ts"
import type { MintedValue } from "../providers/provider.ts"
import type { CredentialAnswer, CredentialValue, ExchangeAnswer } from "../wire/exchange.ts"
import { grantedUntil, type MintedGrant } from "./mint.ts"

/** Puts the answer together. The one place, beside the providers themselves, where minted secrets are revealed. */
export function answerOf(lease: string, policyVersion: string, minted: readonly MintedGrant[]): ExchangeAnswer {
  const credentials = minted.map((one): [string, CredentialAnswer] => {
    const end = endOf(one)
    return [
      one.granted.grant.name,
      {
        provider: one.granted.grant.connection.provider,
        expires_at: end === null ? null : new Date(end).toISOString(),
        revocation: one.minted.revocation,
        values: Object.fromEntries(
          Object.entries(one.minted.values).map(([name, value]) => [name, credentialValue(value)]),
        ),
      },
    ]
  })
  return {
    lease,
    expires_at: lastEnd(minted),
    policy_version: policyVersion,
    credentials: Object.fromEntries(credentials),
  }
}

const credentialValue = ({ value, env }: MintedValue): CredentialValue => ({
  value: value instanceof Secret ? value.reveal() : value,
  secret: value instanceof Secret,
  ...(env === undefined ? {} : { env }),
})

/** When a credential ends, Unix milliseconds: it expires or is taken back, whichever comes first. Null: never, of itself. */
function endOf(minted: MintedGrant): number | null {
  const ends = [minted.minted.expiresAt?.getTime() ?? null, grantedUntil(minted)].filter((end) => end !== null)
  return ends.length === 0 ? null : Math.min(...ends)
}

/** When the last credential ends; the lease of one that never does is over after its granted lifetime. */
function lastEnd(minted: readonly MintedGrant[]): string {
  const ends = minted.map((one) => endOf(one) ?? one.at + one.granted.ttlSeconds * 1000)
  return new Date(Math.max(...ends)).toISOString()
}
