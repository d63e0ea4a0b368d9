import { BrokerError } from "../core/errors.ts"
import { Secret } from "../core/secret.ts"
import type { Minted, MintedValue } from "../providers/provider.ts"
import type { CredentialAnswer, CredentialValue, ExchangeAnswer } from "../wire/exchange.ts"
import { grantedUntil, type MintedGrant, type MintFailure } from "./mint.ts"

/** The limit for all values of an exchange together, in their JSON form. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024

/**
 * Builds the answer. Besides the providers, this is the only place that reveals minted secrets. `requestedSeconds` is the
 * requested lifetime, if the request had one.
 */
export function answerOf(
  lease: string,
  policyVersion: string,
  minted: readonly MintedGrant[],
  requestedSeconds?: number,
): ExchangeAnswer {
  const credentials = minted.map((one): [string, CredentialAnswer] => {
    const end = endOf(one)
    return [
      one.granted.grant.name,
      {
        provider: one.granted.grant.connection.provider,
        ...(one.minted.format === undefined ? {} : { format: one.minted.format }),
        expires_at: end === null ? null : new Date(end).toISOString(),
        revocation: one.minted.revocation,
        ...(requestedSeconds !== undefined &&
          one.granted.ttlSeconds < requestedSeconds && { shortened_to_seconds: one.granted.ttlSeconds }),
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

const credentialValue = ({ value, env, file, logins }: MintedValue): CredentialValue => ({
  value: value instanceof Secret ? value.reveal() : value,
  secret: value instanceof Secret,
  ...(env === undefined ? {} : { env }),
  ...(file === undefined ? {} : { file }),
  ...(logins === undefined ? {} : { logins }),
})

/**
 * Fails an exchange whose answer would be too large: the broker holds several copies of it in memory, and the action reads
 * at most 4 MiB of the sealed answer in base64.
 */
export function tooLarge(minted: readonly MintedGrant[]): readonly MintFailure[] {
  const sized = minted.map((one) => ({ ...one, bytes: answerBytes(one.minted) }))
  const total = sized.reduce((sum, { bytes }) => sum + bytes, 0)
  const [largest] = sized.sort((a, b) => b.bytes - a.bytes)
  if (largest === undefined || total <= MAX_ANSWER_BYTES) return []
  const message = `The requested credentials are larger than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB together; the largest is ${largest.granted.grant.name}. Ask for fewer grants in one step. Nothing was handed out.`
  return [{ granted: largest.granted, error: new BrokerError("request_too_large", message) }]
}

function answerBytes({ values }: Minted): number {
  const texts = Object.values(values).map(({ value }) =>
    JSON.stringify(value instanceof Secret ? value.reveal() : value),
  )
  return texts.reduce((sum, text) => sum + new TextEncoder().encode(text).byteLength, 0)
}

/**
 * When a credential ends, in Unix milliseconds: at its expiry or its revocation by the broker, whichever is first. Null:
 * never.
 */
function endOf(minted: MintedGrant): number | null {
  const ends = [minted.minted.expiresAt?.getTime() ?? null, grantedUntil(minted)].filter((end) => end !== null)
  return ends.length === 0 ? null : Math.min(...ends)
}

/** When the last credential ends. A credential that never ends counts until the end of its granted lifetime. */
function lastEnd(minted: readonly MintedGrant[]): string {
  const ends = minted.map((one) => endOf(one) ?? one.at + one.granted.ttlSeconds * 1000)
  return new Date(Math.max(...ends)).toISOString()
}
