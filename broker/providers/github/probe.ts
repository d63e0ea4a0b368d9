import { BrokerError } from "../../core/errors.ts"
import { findingOf, type Probe } from "../probe.ts"
import type { Connection } from "./grant.ts"
import { logIn } from "./provider.ts"

/** Shows GitHub the App's key, and asks for the App's installation on the owner. Asks for no token. */
export const probeGitHub: Probe<Connection> = {
  async ask(connection, settings, io) {
    const { app_id: app, owner } = settings
    const finding = await findingOf(`App ${app} on ${owner}`, async () => {
      try {
        await logIn({ side: { name: "GitHub", connection }, settings, io })
        return { state: "trusted", detail: `GitHub accepts the App's key, and the App is installed on ${owner}.` }
      } catch (error) {
        if (!(error instanceof BrokerError) || error.code !== "provider_denied") throw error
        return { state: "not_trusted", detail: error.detail }
      }
    })
    return [finding]
  },
}
