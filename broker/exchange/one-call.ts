import type { Broker } from "./broker.ts"
import { createLimit, type Limit } from "./limit.ts"

/**
 * The broker for one request or one sweep. It has `callsAtOnce` connections.
 *
 * Workers open six connections for a request, and queue the rest. Time in that queue counted against the deadlines of calls:
 * of 30 grants at a slow provider, some were minted after their deadline, and nobody knew of them.
 */
export function forOneCall(broker: Broker): Broker {
  const { callsAtOnce = Number.POSITIVE_INFINITY, http } = broker
  const connections = createLimit(callsAtOnce)
  return {
    ...broker,
    http: (request) => connections(() => http(request)),
    oneCall: { limit: createLimit(callsAtOnce), making: new Map() },
  }
}

const AT_ONCE: Limit = (work) => work()

/** The limit for the credentials of this call. */
export const limitOf = (broker: Broker): Limit => broker.oneCall?.limit ?? AT_ONCE
