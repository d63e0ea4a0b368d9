/**
 * What a static secret becomes.
 *
 * `aws`, `google`, `azure`: a role or account that the broker lets the job use. `vault`: the job's own login at Vault. `github`: a
 * token of a GitHub App. `publish`: nothing, because the registry trusts the job itself. `store`: a value in a store, behind a
 * policy. `variable`: no secret at all. `stays`: GitHub makes it for each job.
 */
export type Kind = "aws" | "google" | "azure" | "vault" | "github" | "publish" | "store" | "variable" | "stays"

/** The narrowest first: a key that is used as a login and in a script becomes a role. */
export const KINDS: readonly Kind[] = [
  "aws",
  "google",
  "azure",
  "vault",
  "github",
  "publish",
  "store",
  "variable",
  "stays",
]

/** Kinds that are credentials for as long as nobody replaces them. */
export const isStatic = (kind: Kind): boolean => kind !== "variable" && kind !== "stays"

/** In a report: what to do. */
export const BECOMES: Readonly<Record<Kind, string>> = {
  aws: "a role: a grant of an aws connection",
  google: "a service account: a grant of a google connection",
  azure: "an identity: a grant of an azure connection",
  vault: "the job's own login: a grant of a vault connection",
  github: "a GitHub App's token: a grant of a github connection",
  publish: "not needed: let the registry trust the workflow (trusted publishing)",
  store: "a value in a store",
  variable: "no secret: make it a variable of GitHub's settings (vars)",
  stays: "stays: GitHub makes it for each job, and it ends with the job",
}

/** Inputs of known actions. `uses` is compared without its version, in lower case; it may end with a star. */
interface InputRule {
  readonly uses: string
  readonly inputs: readonly string[]
  readonly kind: Kind
}

// Names of inputs are those of each action's action.yml.
const INPUTS: readonly InputRule[] = [
  {
    uses: "aws-actions/configure-aws-credentials",
    inputs: ["aws-access-key-id", "aws-secret-access-key", "aws-session-token"],
    kind: "aws",
  },
  {
    uses: "aws-actions/configure-aws-credentials",
    inputs: ["aws-region", "role-to-assume", "role-session-name"],
    kind: "variable",
  },
  { uses: "google-github-actions/auth", inputs: ["credentials_json"], kind: "google" },
  { uses: "google-github-actions/*", inputs: ["credentials", "service_account_key"], kind: "google" },
  {
    uses: "google-github-actions/*",
    inputs: ["project_id", "workload_identity_provider", "service_account", "region", "location"],
    kind: "variable",
  },
  { uses: "azure/login", inputs: ["creds"], kind: "azure" },
  { uses: "azure/*", inputs: ["client-id", "tenant-id", "subscription-id"], kind: "variable" },
  { uses: "azure/*", inputs: ["publish-profile", "azure_static_web_apps_api_token"], kind: "store" },
  { uses: "docker/login-action", inputs: ["username"], kind: "variable" },
  { uses: "hashicorp/vault-action", inputs: ["token", "secretId", "password"], kind: "vault" },
  { uses: "hashicorp/vault-action", inputs: ["url", "role", "namespace"], kind: "variable" },
  { uses: "pypa/gh-action-pypi-publish", inputs: ["password"], kind: "publish" },
  { uses: "js-devtools/npm-publish", inputs: ["token"], kind: "publish" },
  { uses: "actions/checkout", inputs: ["token"], kind: "github" },
  { uses: "actions/github-script", inputs: ["github-token"], kind: "github" },
  { uses: "peaceiris/actions-gh-pages", inputs: ["personal_token", "github_token"], kind: "github" },
  { uses: "peter-evans/*", inputs: ["token"], kind: "github" },
  { uses: "softprops/action-gh-release", inputs: ["token"], kind: "github" },
]

/** Variables that tools read, and names that people give to secrets after them. In capitals. */
const NAMES: Readonly<Record<string, Kind>> = {
  __proto__: null as never,
  AWS_ACCESS_KEY_ID: "aws",
  AWS_SECRET_ACCESS_KEY: "aws",
  AWS_SESSION_TOKEN: "aws",
  AWS_REGION: "variable",
  AWS_DEFAULT_REGION: "variable",
  AWS_ACCOUNT_ID: "variable",
  AWS_ROLE_ARN: "variable",
  GOOGLE_CREDENTIALS: "google",
  GOOGLE_APPLICATION_CREDENTIALS_JSON: "google",
  GCP_CREDENTIALS: "google",
  GCP_SA_KEY: "google",
  GCLOUD_SERVICE_KEY: "google",
  GCP_PROJECT_ID: "variable",
  GOOGLE_PROJECT: "variable",
  AZURE_CREDENTIALS: "azure",
  AZURE_CLIENT_SECRET: "azure",
  ARM_CLIENT_SECRET: "azure",
  AZURE_CLIENT_ID: "variable",
  AZURE_TENANT_ID: "variable",
  AZURE_SUBSCRIPTION_ID: "variable",
  ARM_CLIENT_ID: "variable",
  ARM_TENANT_ID: "variable",
  ARM_SUBSCRIPTION_ID: "variable",
  VAULT_TOKEN: "vault",
  VAULT_ADDR: "variable",
  GH_TOKEN: "github",
  GH_PAT: "github",
  GITHUB_PAT: "github",
  PERSONAL_ACCESS_TOKEN: "github",
  NODE_AUTH_TOKEN: "publish",
  NPM_TOKEN: "publish",
  PYPI_API_TOKEN: "publish",
  TWINE_PASSWORD: "publish",
  CARGO_REGISTRY_TOKEN: "publish",
  GEM_HOST_API_KEY: "publish",
  DOCKER_USERNAME: "variable",
  DOCKERHUB_USERNAME: "variable",
}

/** GitHub's own, in every spelling. */
export const isJobToken = (secret: string): boolean => secret.toUpperCase() === "GITHUB_TOKEN"

/** The kind by the input of an action; null for actions that are not known. `registry`: an input of docker/login-action. */
export function kindOfInput(uses: string, input: string, registry?: string): Kind | null {
  const action = (uses.split("@")[0] ?? "").toLowerCase()
  const name = input.toLowerCase()
  if (action === "docker/login-action" && name === "password") return kindOfRegistry(registry)
  if (action === "docker/login-action" && name === "username" && /\.dkr\.ecr\.|^public\.ecr\.aws$/.test(registry ?? ""))
    return "aws"
  const rule = INPUTS.find(
    ({ uses: known, inputs }) =>
      (known.endsWith("*") ? action.startsWith(known.slice(0, -1)) : action === known) &&
      inputs.some((one) => one.toLowerCase() === name),
  )
  return rule?.kind ?? null
}

/** Docker Hub and others have no login by a job's identity that a stored token would not be needed for. */
function kindOfRegistry(registry = ""): Kind {
  if (/\.dkr\.ecr\.|^public\.ecr\.aws$/.test(registry)) return "aws"
  if (/(?:^|\.)gcr\.io$|-docker\.pkg\.dev$/.test(registry)) return "google"
  if (/\.azurecr\.io$/.test(registry)) return "azure"
  return "store"
}

/** The kind by a variable's or a secret's name; null for names that say nothing. */
export const kindOfName = (name: string): Kind | null => NAMES[name.toUpperCase()] ?? null
