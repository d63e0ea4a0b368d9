import { createGitHubApp } from "../adapters/github/app.ts"
import { createGitHubEnvironments } from "../adapters/github/environments.ts"
import { withRepositoryPolicies } from "../adapters/github/policy-source.ts"
import { createRepositoryPolicyReader } from "../adapters/github/repository-policies.ts"
import type { Config } from "../config/config.ts"
import type { Broker } from "../exchange/broker.ts"
import type { Environments } from "../ports/environments.ts"
import type { PolicySource } from "../ports/policy-source.ts"
import { openAppKey } from "../signing/app-key.ts"

/** What the broker reads from GitHub. */
interface FromGitHub {
  readonly policySource: PolicySource
  /** Null without an App. */
  readonly environments: Environments | null
}

/**
 * Adds what the broker reads from GitHub: repositories' own policies, and the protection of environments. Without an App
 * nothing is read: repositories' own policies are an error, and the protection of environments is unknown.
 *
 * @throws {BrokerError} `configuration_invalid` when the App's key is not usable
 */
export async function withGitHub(
  { gitHubApp }: Pick<Config, "gitHubApp">,
  broker: Pick<Broker, "policySource" | "providers" | "sealer" | "http" | "clock" | "log">,
): Promise<FromGitHub> {
  const { http, clock, log, providers } = broker
  if (gitHubApp === undefined) {
    const options = { reader: null, issuerUrl: "", clock, log, providers }
    return { policySource: withRepositoryPolicies(broker.policySource, options), environments: null }
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
