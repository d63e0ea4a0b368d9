import { Hono } from "hono"
import { BrokerError } from "../core/errors.ts"
import type { Broker } from "../exchange/broker.ts"
import type { OperateApp } from "../http/app.ts"
import type { Client } from "../http/exchange-route.ts"
import type { RequestEvent } from "../ports/log.ts"

/** What an operator's route finds in `context.env`: who asks, and the request's line in the log, to be filled along the way. */
export interface OperateEnv {
  readonly Bindings: { readonly client: Client; readonly event: RequestEvent }
}

/**
 * The routes of operators. At the edge, this file and what only it imports are modules of their own, which are loaded by the
 * first request of an operator: an isolate that serves jobs alone never has them.
 *
 * It answers no error by itself. The app around it does, with the same form, headers and line in the log for all routes.
 */
export function createOperateApp(_broker: Broker): OperateApp {
  const app = new Hono<OperateEnv>()
  app.notFound(() => {
    throw new BrokerError("route_not_found", "Operators have no such path. docs/wire.md lists the broker's paths.")
  })
  app.onError((error) => {
    throw error
  })
  return { fetch: async (request, client, event) => await app.fetch(request, { client, event }) }
}
