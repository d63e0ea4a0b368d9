import { createGitLabApi } from "../adapters/gitlab/api.ts"
import { createGitLabEnvironments } from "../adapters/gitlab/environments.ts"
import { environmentsByIssuer } from "../adapters/memory/environments.ts"
import type { Config } from "../config/config.ts"
import type { Identity } from "../core/identity.ts"
import type { Broker } from "../exchange/broker.ts"
import type { Environments } from "../ports/environments.ts"
import { openGitLabToken } from "../signing/gitlab-token.ts"

/**
 * Everyone who can be asked how environments are protected, by issuer. `gitHub` is null without a GitHub App.
 *
 * @throws {BrokerError} `configuration_invalid` when the access token for GitLab cannot be unsealed
 */
export async function hostsOfEnvironments(
  { gitHubApp, gitLab }: Pick<Config, "gitHubApp" | "gitLab">,
  gitHub: Environments | null,
  { http, clock, sealer }: Pick<Broker, "http" | "clock" | "sealer">,
): Promise<Environments> {
  const hosts = new Map<string, Environments>()
  if (gitHubApp && gitHub) hosts.set(gitHubApp.issuerUrl, gitHub)
  if (gitLab) {
    const { apiUrl, issuerUrl } = gitLab
    const token = await openGitLabToken(gitLab.token, sealer)
    hosts.set(
      issuerUrl,
      createGitLabEnvironments({ api: createGitLabApi({ apiUrl, token, http, clock }), issuerUrl, clock }),
    )
  }
  const ofGitHub = gitHubApp ? "The broker's GitHub App does not serve this issuer: see DAYPASS_GITHUB_ISSUER." : NO_APP
  const ofGitLab = gitLab
    ? "The broker's access token does not serve this issuer: see DAYPASS_GITLAB_ISSUER."
    : NO_TOKEN
  return environmentsByIssuer(hosts, ({ unitKind }: Identity) => (unitKind === "project" ? ofGitLab : ofGitHub))
}

const NO_APP =
  "its protection is unknown, because the broker has no GitHub App: set DAYPASS_GITHUB_APP_ID and DAYPASS_GITHUB_APP_KEY"
const NO_TOKEN =
  "its protection is unknown, because the broker cannot ask GitLab: set DAYPASS_GITLAB_TOKEN and DAYPASS_GITLAB_ISSUER"
