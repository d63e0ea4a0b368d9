import type { Config } from "../config/config.ts"
import { createConsole } from "../console/console.ts"
import type { OperateApp } from "../http/app.ts"
import { createOperateRoutes } from "../http/operate/app.ts"
import type { OperateServices } from "../http/operate/routing.ts"
import { createOperators } from "../operate/operator.ts"
import { consoleAnalysis as analysis } from "./console-analysis.ts"
import { gitHubHookOf } from "./github-hook.ts"

/** The operators' routes and pages, on every runtime. */
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
