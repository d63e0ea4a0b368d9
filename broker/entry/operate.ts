import type { OperateApp } from "../http/app.ts"
import { createOperateRoutes } from "../http/operate/app.ts"
import type { OperateServices } from "../http/operate/routing.ts"

export { keepOwnKeys } from "../operate/keys.ts"

/**
 * The routes of operators. At the edge, this file and what only it imports are modules of their own, which are loaded by the
 * first request of an operator: an isolate that serves jobs alone never has them.
 */
export function createOperateApp(services: OperateServices): OperateApp {
  const routes = createOperateRoutes(services)
  return { fetch: async (request, client, event) => await routes.fetch(request, { client, event }) }
}
