import { BrokerError } from "../core/errors.ts"
import type { OperatorScope } from "../core/operator-rights.ts"
import { nameOf } from "../core/secret-reference.ts"
import type { Broker } from "../exchange/broker.ts"
import { callIo } from "../exchange/provider-io.ts"
import { PROBE_SUBJECT, type ProbeIo } from "../providers/probe.ts"
import type { DoctorAnswer, TrustAnswer } from "../wire/doctor.ts"
import { type OperatorAct, recordAct } from "./act.ts"
import { outOfSight } from "./operator.ts"
import { PROBES } from "./probes.ts"

/** One call of the other side takes 8 s at most, and a few are made after each other. */
const WINDOW_MS = 20_000

/** A token of a question is used at once. */
const TOKEN_SECONDS = 60

/** The connections whose other side an operator may ask. @throws {BrokerError} `policy_unavailable` */
export async function connectionsToAsk({ operator }: OperatorAct, broker: Broker): Promise<DoctorAnswer> {
  const { connections } = (await broker.policySource.snapshot()).organisation
  const seen = [...connections.values()].filter(({ name }) => mayAsk(operator.scope, name))
  return { connections: seen.map(({ name, provider }) => ({ name, provider, can_be_asked: PROBES.has(provider) })) }
}

/**
 * Asks the other side of a connection whether it trusts the broker. Recorded before it is done: the vendor's own log shows the
 * question, and the record says who asked.
 *
 * @throws {BrokerError} `not_allowed`, `request_malformed`, `ledger_unavailable`, `policy_unavailable`
 */
export async function askOtherSide(name: string, act: OperatorAct, broker: Broker): Promise<TrustAnswer> {
  const connection = (await broker.policySource.snapshot()).organisation.connections.get(name)
  if (connection === undefined || !mayAsk(act.operator.scope, name)) throw outOfSight("connection")
  const { provider, settings } = connection
  const probe = PROBES.get(provider)
  if (probe === undefined) {
    const detail = `The provider ${provider} calls others only through other connections, so there is nobody to ask about connection ${name}.`
    throw new BrokerError("request_malformed", detail)
  }
  await recordAct(act, `doctor: asks the other side of connection ${name} whether it trusts the broker`, broker)
  return { connection: name, provider, findings: await probe.ask(name, settings, probeIo(broker)) }
}

/** Connections belong to the whole organisation: a scope of owners or units has none of its own. */
const mayAsk = ({ owners, units, connections }: OperatorScope, name: string): boolean =>
  owners === undefined && units === undefined && (connections?.includes(name) ?? true)

const probeIo = (broker: Broker): ProbeIo => ({
  ...callIo(broker, WINDOW_MS),
  secret: (reference) => broker.connectionSecrets.named(nameOf(reference)),
  identityToken(audience) {
    const now = Math.floor(broker.clock.now().getTime() / 1000)
    return broker.signer.sign({
      ...{ iss: broker.url, sub: PROBE_SUBJECT, aud: audience },
      ...{ iat: now, nbf: now, exp: now + TOKEN_SECONDS, jti: crypto.randomUUID() },
    })
  },
})
