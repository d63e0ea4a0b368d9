import { createGitHubApp } from "../adapters/github/app.ts"
import { createGitHubEnvironments } from "../adapters/github/environments.ts"
import { withRepositoryPolicies } from "../adapters/github/policy-source.ts"
import { createRepositoryPolicyReader } from "../adapters/github/repository-policies.ts"
import { unknownEnvironments } from "../adapters/memory/environments.ts"
import type { Config } from "../config/config.ts"
import type { Broker } from "../exchange/broker.ts"
import { openAppKey } from "../signing/app-key.ts"

/**
 * Adds what the broker reads from GitHub: repositories' own policies, and the protection of environments. Without an App
 * nothing is read: repositories' own policies are an error, and the protection of environments is unknown.
 *
 * @throws {BrokerError} `configuration_invalid` when the App's key is not usable
 */
export async function withGitHub(
  { gitHubApp }: Pick<Config, "gitHubApp">,
  broker: Pick<Broker, "policySource" | "providers" | "sealer" | "http" | "clock" | "log">,
): Promise<Pick<Broker, "policySource" | "environments">> {
  const { http, clock, log, providers } = broker
  if (gitHubApp === undefined) {
    const options = { reader: null, issuerUrl: "", clock, log, providers }
    return {
      policySource: withRepositoryPolicies(broker.policySource, options),
      environments: unknownEnvironments(NO_APP),
    }
  }
  const { id, apiUrl, issuerUrl } = gitHubApp
  const key = await openAppKey(gitHubApp.key, broker.sealer)
  const app = await createGitHubApp({ apiUrl, appId: id, key, http, clock })
  const reader = createRepositoryPolicyReader(app, clock)
  return {
    policySource: withRepositoryPolicies(broker.policySource, { reader, issuerUrl, clock, log, providers }),
    environments: createGitHubEnvironments({ app, issuerUrl, clock }),
  }
}

const NO_APP =
  "its protection is unknown, because the broker has no GitHub App: set DAYPASS_GITHUB_APP_ID and DAYPASS_GITHUB_APP_KEY"
