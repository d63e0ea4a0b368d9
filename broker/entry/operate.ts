import type { Config } from "../config/config.ts"
import { createConsole } from "../console/console.ts"
import type { OperateApp } from "../http/app.ts"
import { createOperateRoutes } from "../http/operate/app.ts"
import type { OperateServices } from "../http/operate/routing.ts"
import { createOperators } from "../operate/operator.ts"
import { consoleAnalysis as analysis } from "./console-analysis.ts"
import { gitHubHookOf } from "./github-hook.ts"

export { keepOwnKeys } from "../operate/keys.ts"

/**
 * What operators use. At the edge, this file and what it alone imports are modules of their own, which an isolate loads for the
 * first request of an operator: an isolate that serves jobs alone never has them. On Node it is a part like any other.
 */
export function createOperateApp(services: OperateServices, settings: Config): OperateApp {
  const gitHubHook = gitHubHookOf(settings, services.broker)
  const routes = createOperateRoutes({ ...services, ...(gitHubHook && { gitHubHook }) })
  const console = createConsole({ ...services, analysis, operators: createOperators(services.broker) })
  return {
    async fetch(request, client, event) {
      const { pathname } = new URL(request.url)
      const isConsole = pathname === "/console" || pathname.startsWith("/console/")
      return await (isConsole ? console : routes).fetch(request, { client, event })
    },
  }
}

// What the edge takes from these modules, beside the routes.
export { followedAt } from "../adapters/cloudflare/directory.ts"
export { createDirectoryWork } from "./edge-follower.ts"
