import { BrokerError } from "../core/errors.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import type { Broker } from "../exchange/broker.ts"
import type { ExchangeCall } from "../exchange/call.ts"
import { exchange } from "../exchange/exchange.ts"
import { forOneCall } from "../exchange/one-call.ts"
import type { OneToken } from "../providers/provider.ts"

/** A grant that a client of a standard asks for: one, whose credential is one token. */
export interface OneTokenCall extends Pick<ExchangeCall, "audience"> {
  readonly grant: string
  /** Why the client cannot use this token; null when it can. */
  unfit(token: OneToken): BrokerError | null
}

export interface OneTokenAnswer {
  readonly token: string
  readonly type: OneToken["type"]
  /** Whole seconds; undefined for a token that never ends. */
  readonly expiresInSeconds: number | undefined
  readonly lease: string
}

/**
 * The exchange of `POST /v1/exchange`, for clients that expect one token: the same decision, records and limits. A grant of
 * another kind is refused before anything is minted, and the subject token is not used up.
 *
 * @throws {BrokerError}
 */
export async function exchangeOneToken(
  call: Omit<ExchangeCall, "grants" | "ttlSeconds" | "key" | "lease" | "unfit">,
  { grant, audience, unfit }: OneTokenCall,
  broker: Broker,
): Promise<OneTokenAnswer> {
  let found: OneToken | null = null
  const whole: ExchangeCall = {
    ...call,
    ...(audience === undefined ? {} : { audience }),
    grants: [grant],
    ttlSeconds: undefined,
    key: undefined,
    lease: undefined,
    unfit([granted]) {
      found = granted === undefined ? null : tokenOf(granted, broker)
      return found === null ? noToken(grant) : unfit(found)
    },
  }
  const { lease, credentials } = await exchange(whole, forOneCall(broker))
  const { value = "", type = "access_token" } = (found as OneToken | null) ?? {}
  const credential = credentials[grant]
  const token = credential?.values[value]?.value
  if (credential === undefined || token === undefined) {
    throw new BrokerError("internal", `The credential of ${grant} lacks its token.`)
  }
  const endsAt = credential.expires_at === null ? undefined : Date.parse(credential.expires_at)
  const leftMs = endsAt === undefined ? undefined : endsAt - broker.clock.now().getTime()
  return {
    token,
    type,
    expiresInSeconds: leftMs === undefined ? undefined : Math.max(0, Math.floor(leftMs / 1000)),
    lease,
  }
}

function tokenOf({ grant: { fields, connection } }: GrantedGrant, broker: Broker): OneToken | null {
  return broker.providers.get(connection.provider)?.token?.(fields, connection.settings) ?? null
}

const noToken = (grant: string) =>
  new BrokerError(
    "request_malformed",
    `The grant ${grant} is not one token, so this path cannot answer with it. Use POST /v1/exchange, or a grant that is one token.`,
  )
