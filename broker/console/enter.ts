import { BrokerError } from "../core/errors.ts"
import { OPERATOR_RIGHTS } from "../core/operator-rights.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import type { Broker } from "../exchange/broker.ts"
import { exchange } from "../exchange/exchange.ts"
import { forOneCall } from "../exchange/one-call.ts"
import type { Client } from "../http/exchange-route.ts"
import type { Operator, Operators } from "../operate/operator.ts"
import type { RequestEvent } from "../ports/log.ts"
import { createOwnKey } from "./own-key.ts"

/** Where the provider sends a person's browser back to. */
export const CALLBACK_PATH = "/console/callback"

/**
 * Exchanges a person's ID token for a grant of the provider `broker`, as `daypass` does from a command line: decided by the same
 * policies, recorded in the same ledger, bound to a key, and over after 15 minutes.
 *
 * @throws {BrokerError} as an exchange; `not_allowed` when the grant gives no rights over the broker
 */
export async function enter(
  idToken: string,
  grant: string,
  { client, event }: { readonly client: Client; readonly event: RequestEvent },
  { broker, operators }: { readonly broker: Broker; readonly operators: Operators },
): Promise<{ readonly operator: Operator; readonly token: string }> {
  const key = await createOwnKey(broker)
  const call = { method: "POST", path: CALLBACK_PATH } as const
  const { credentials, lease } = await exchange(
    {
      ...{ requestId: event.request_id, event, ...client },
      ...{ subjectToken: idToken, proof: await key.prove(call, idToken), key: { thumbprint: key.thumbprint } },
      ...{ grants: [grant], ttlSeconds: undefined, lease: undefined, unfit: notOfBroker },
    },
    forOneCall(broker),
  )
  event.lease = lease
  const token = credentials[grant]?.values["token"]?.value ?? ""
  const [first, ...others] = OPERATOR_RIGHTS
  return {
    token,
    operator: await operators.authorise({ token, proof: await key.prove(call, token) }, first, ...others),
  }
}

/** Nothing is minted that the console would throw away. */
const notOfBroker = (grants: readonly GrantedGrant[]): BrokerError | null =>
  grants.every(({ grant }) => grant.connection.provider === "broker")
    ? null
    : new BrokerError("not_allowed", "The console needs a grant of the provider broker, and this is another one.")
