import { Secret } from "../core/secret.ts"
import { plainUrl, type Report, readText } from "./settings.ts"

type Environment = Readonly<Record<string, unknown>>

export interface GitHubAppConfig {
  /** The App's id, or its client id. */
  readonly id: string
  /** A private key as PEM (PKCS#1 or PKCS#8), or sealed under the deployment's key. */
  readonly key: Secret<string>
  /** The URL of GitHub's API, without a trailing slash. The key is used for no other host. */
  readonly apiUrl: string
  /** The exact `iss` of the repositories that the App reads. */
  readonly issuerUrl: string
}

export interface GitLabConfig {
  /** An access token, or sealed under the deployment's key. */
  readonly token: Secret<string>
  /** The URL of GitLab's API, without a trailing slash. The token is sent to no other host. */
  readonly apiUrl: string
  /** The exact `iss` of the projects that the token reads. */
  readonly issuerUrl: string
}

const GITHUB_API_URL = "https://api.github.com"
const GITHUB_ISSUER_URL = "https://token.actions.githubusercontent.com"

/** The key is not checked here, because it may be sealed. */
export function readGitHubApp(env: Environment, fault: Report): GitHubAppConfig | undefined {
  const id = readText(env["DAYPASS_GITHUB_APP_ID"], "DAYPASS_GITHUB_APP_ID", fault)
  const key = env["DAYPASS_GITHUB_APP_KEY"]
  const apiUrl = readServerUrl(env, "DAYPASS_GITHUB_API_URL", GITHUB_API_URL, fault)
  const issuerUrl = readServerUrl(env, "DAYPASS_GITHUB_ISSUER", GITHUB_ISSUER_URL, fault)
  const hasKey = typeof key === "string" && key.trim() !== ""
  if (!hasKey && id !== undefined)
    fault("DAYPASS_GITHUB_APP_KEY", "set it to the App's private key, as downloaded from GitHub")
  if (hasKey && id === undefined) fault("DAYPASS_GITHUB_APP_ID", "set it to the App's id, which its settings show")
  if (!hasKey || id === undefined || apiUrl === undefined || issuerUrl === undefined) return undefined
  return { id, key: new Secret(key.trim()), apiUrl, issuerUrl }
}

const MOST_HOOK_SECRETS = 2

/** The secrets of GitHub's webhook: one, or two while it is replaced, with white space between them. Null: none is set. */
export function readHookSecrets(
  env: Environment,
  gitHubApp: GitHubAppConfig | undefined,
  fault: Report,
): readonly Secret<string>[] | null {
  const name = "DAYPASS_GITHUB_HOOK_SECRET"
  const value = env[name]
  if (value === undefined || value === "") return null
  const secrets = typeof value === "string" ? value.trim().split(/\s+/) : []
  if (!(secrets.length <= MOST_HOOK_SECRETS && secrets.every((secret) => /^[!-~]{20,256}$/.test(secret)))) {
    fault(name, "must be one or two secrets of at least 20 characters; make one with: openssl rand -hex 32")
    return null
  }
  // An alert has no value in it: the App reads it.
  if (gitHubApp === undefined) fault(name, "needs the broker's GitHub App: set DAYPASS_GITHUB_APP_ID and its key")
  return secrets.map((secret) => new Secret(secret))
}

const GITLAB_ISSUER_URL = "https://gitlab.com"

/** The token is not checked here, because it may be sealed. */
export function readGitLab(env: Environment, fault: Report): GitLabConfig | undefined {
  const issuerUrl = readServerUrl(env, "DAYPASS_GITLAB_ISSUER", GITLAB_ISSUER_URL, fault)
  const apiUrl = readServerUrl(env, "DAYPASS_GITLAB_API_URL", `${issuerUrl}/api/v4`, fault)
  const token = env["DAYPASS_GITLAB_TOKEN"]
  if (token === undefined || token === "") return undefined
  if (typeof token !== "string" || !/^[!-~]{8,8192}$/.test(token.trim())) {
    fault(
      "DAYPASS_GITLAB_TOKEN",
      "must be an access token of GitLab, as it was shown when it was made, or the output of daypass seal",
    )
    return undefined
  }
  if (apiUrl === undefined || issuerUrl === undefined) return undefined
  return { token: new Secret(token.trim()), apiUrl, issuerUrl }
}

function readServerUrl(env: Environment, setting: string, usual: string, fault: Report): string | undefined {
  const value = env[setting]
  if (value === undefined || value === "") return usual
  return plainUrl(String(value), setting, fault)
}
