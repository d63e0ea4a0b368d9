import type { Login } from "../ports/logins.ts"
import type { Broker } from "./broker.ts"

/** Runs work as soon as one of its places is free, in the order of the calls. */
export type Limit = <Value>(work: () => Promise<Value>) => Promise<Value>

/** Places for `atOnce` pieces of work. */
export function createLimit(atOnce: number): Limit {
  let free = atOnce
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      // The place goes straight to the next, so that nobody overtakes.
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}

/** What the grants of one call share, and no other call may: on workerd, one request must not await another's work. */
export interface OneCall {
  /** For each credential that is minted or revoked: its window of time begins when it has a place. */
  readonly limit: Limit
  /** Key -> a login that another grant is making. */
  readonly making: Map<string, Promise<Login<unknown>>>
}

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
