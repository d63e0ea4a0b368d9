import { createGitHubApp, type GitHubApp } from "../adapters/github/app.ts"
import { createSecretAlerts } from "../adapters/github/secret-alerts.ts"
import type { Config } from "../config/config.ts"
import type { Broker } from "../exchange/broker.ts"
import type { GitHubHook, LeakedValues } from "../ports/leaked-values.ts"
import { openAppKey } from "../signing/app-key.ts"

/** GitHub's webhook; null where the operator has set none up. */
export function gitHubHookOf(
  { gitHubApp, gitHubHookSecrets: secrets }: Pick<Config, "gitHubApp" | "gitHubHookSecrets">,
  { http, clock, sealer }: Pick<Broker, "http" | "clock" | "sealer">,
): GitHubHook | null {
  if (gitHubApp === undefined || secrets === undefined) return null
  let app: GitHubApp | undefined
  const values: LeakedValues = {
    async valueOf(alert) {
      const { id: appId, apiUrl } = gitHubApp
      app ??= await createGitHubApp({ apiUrl, appId, key: await openAppKey(gitHubApp.key, sealer), http, clock })
      return await createSecretAlerts(app, clock).valueOf(alert)
    },
  }
  return { secrets, values }
}
