import { Hono } from "hono"
import { BrokerError } from "../../core/errors.ts"
import { createOperators, useForAct } from "../../operate/operator.ts"
import { incomingOf } from "../incoming.ts"
import { bearerOf, proofOf } from "../request.ts"
import { alertRoutes } from "./alerts.ts"
import { checkpointRoutes } from "./checkpoint.ts"
import { doctorRoutes } from "./doctor.ts"
import { gitHubHookRoutes } from "./github-hook.ts"
import { keyRoutes } from "./keys.ts"
import { leaseRoutes } from "./leases.ts"
import { metricsRoutes } from "./metrics.ts"
import { policyRoutes } from "./policies.ts"
import { recordRoutes } from "./record.ts"
import type { OperateEnv, OperateRoutes, OperateRouting, OperateServices } from "./routing.ts"
import { stopRoutes } from "./stops.ts"

const GROUPS: readonly OperateRoutes[] = [
  checkpointRoutes,
  doctorRoutes,
  keyRoutes,
  leaseRoutes,
  metricsRoutes,
  policyRoutes,
  recordRoutes,
  stopRoutes,
  alertRoutes,
  gitHubHookRoutes,
]

/**
 * The operators' routes: `/v1/operate/...`, and the one of GitHub's webhook. They answer no error by themselves. The app around them does, with the same form,
 * headers and line in the log for all routes.
 */
export function createOperateRoutes(services: OperateServices): Hono<OperateEnv> {
  const app = new Hono<OperateEnv>()
  const operators = createOperators(services.broker)
  const routing: OperateRouting = {
    ...services,
    app,
    async act(context, right, ...others) {
      const incoming = incomingOf(context.req.raw)
      const { event, client } = context.env
      const operator = await operators.authorise({ token: bearerOf(incoming), ...proofOf(incoming) }, right, ...others)
      if (!["GET", "HEAD"].includes(incoming.method)) await useForAct(operator, services.broker)
      const { unit_kind, unit, unit_id } = operator.identity
      Object.assign(event, { unit_kind, unit, unit_id, lease: operator.lease })
      return { operator, requestId: event.request_id, clientAddress: client.clientAddress }
    },
  }
  for (const add of GROUPS) add(routing)
  app.notFound(() => {
    throw new BrokerError("route_not_found", "Operators have no such path. docs/wire.md lists the broker's paths.")
  })
  app.onError((error) => {
    throw error
  })
  return app
}
