import { type AuditDraft, type AuditEvent, brokersDraft } from "../core/audit-record.ts"
import type { BrokerError } from "../core/errors.ts"
import { isWhole } from "../core/operator-scope.ts"
import type { Broker } from "../exchange/broker.ts"
import type { Operator } from "./operator.ts"

/** An operator's call. */
export interface OperatorAct {
  readonly operator: Operator
  readonly requestId: string
  readonly clientAddress: string | null
}

/** The unit of the deployment's own ledger: what the broker does by itself and concerns no unit. Its issuer is the broker. */
export const OWN_LEDGER_UNIT = "broker"

/**
 * Records what an operator is about to do, in the ledger of the operator's unit. Resolves when that is durable: only then may
 * it be done.
 *
 * @throws {BrokerError} `ledger_unavailable`
 */
export async function recordAct(
  { operator, requestId, clientAddress }: OperatorAct,
  reason: string,
  broker: Pick<Broker, "ledgers" | "clock">,
  event: AuditEvent = "operator.acted",
): Promise<void> {
  const { identity, lease } = operator
  const at = broker.clock.now()
  const draft = brokersDraft(event, { at, requestId, lease, reason })
  const audit: AuditDraft = { ...draft, identity, client_address: clientAddress }
  await broker.ledgers.of(identity.issuer, identity.unit_id).append(audit)
}

/**
 * Records what the broker does by itself for the deployment, before it is done.
 *
 * @throws {BrokerError} `ledger_unavailable`
 */
export async function recordOwnAct(
  event: AuditEvent,
  reason: string,
  broker: Pick<Broker, "ledgers" | "clock" | "url">,
): Promise<void> {
  const about = { at: broker.clock.now(), requestId: crypto.randomUUID(), lease: null, reason }
  await broker.ledgers.of(broker.url, OWN_LEDGER_UNIT).append(brokersDraft(event, about))
}

/** For what concerns the whole deployment: who may act for a part of it only gets `refusal`. @throws {BrokerError} */
export function requireWhole({ operator }: OperatorAct, refusal: () => BrokerError): void {
  if (!isWhole(operator.scope)) throw refusal()
}
