/** What takes the place of a secret that was found. */
export type Kind =
  | "aws" // a role
  | "azure" // a federated credential
  | "database" // Vault's database engine, or a store
  | "github" // a grant for the token of a GitHub App
  | "google" // Workload Identity Federation
  | "key" // a private key: made anew, in a store
  | "login" // a token of a store, which the broker logs in to without one
  | "store" // a value in a store

/** The kind by the rule's or the detector's name, of any scanner. The first one that fits. */
const KINDS: readonly (readonly [name: RegExp, kind: Kind])[] = [
  [/vault|doppler|1password|onepassword|infisical|conjur|\bops_token/, "login"],
  [/private[-_ ]?key(?!json|p12)|age[-_ ]?(?:identity|secret)/, "key"],
  [/postgres|mysql|mongo|jdbc|sql[-_ ]?server|redis|database|connection[-_ ]?string/, "database"],
  [/\baws|amazon/, "aws"],
  // A package of GitHub is read with a token, too. A key for Google's APIs is none of a service account.
  [/github|ghcr|xoauth/, "github"],
  [/google(?!.*api[-_ ]?key)|gcp(?!.*api[-_ ]?key)/, "google"],
  [/azure|entra/, "azure"],
]

export function kindOf(rule: string): Kind {
  const name = rule.toLowerCase()
  return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? "store"
}

/** Names of rules that say less than people need. */
const TITLES: Readonly<Record<string, string>> = {
  __proto__: null as never,
  "1password/OPS_TOKEN": "1Password service account token",
  "anthropic/ANTHROPIC_API_KEY": "Anthropic API key",
  "aws/AWSAccessKeyID": "AWS access key id",
  "aws/AWSSecretAccessKey": "AWS secret access key",
  "basicauth/BasicAuth": "password in a URL",
  "daypass/age-identity": "age identity",
  "daypass/doppler-token": "Doppler token",
  "daypass/json-web-token": "JSON Web Token",
  "daypass/private-key": "private key",
  "daypass/vault-token": "Vault or OpenBao token",
  "database-connection-string/MongoDBConnection": "MongoDB connection with a password",
  "database-connection-string/MySQLConnection": "MySQL connection with a password",
  "database-connection-string/PostgreSQLConnection": "PostgreSQL connection with a password",
  "gcp/PrivateKeyJSON": "Google service account key",
  "gcp/PrivateKeyP12": "Google service account key",
  "github/GITHUB_TOKEN": "GitHub token",
  "linear/LINEAR_API_TOKEN": "Linear API token",
  "npm/NPM_ACCESS_TOKEN": "npm token",
  "npm/Npmrc_authToken": "npm token",
  "npm/PackageJSON_xOauthToken": "GitHub token in a URL",
  "openai/OPENAI_TOKEN": "OpenAI API key",
  "privatekey/PrivateKey": "private key",
  "sendgrid/SENDGRID_KEY": "SendGrid key",
  "shopify/SHOPIFY_KEY": "Shopify token",
  "slack/IncomingWebhook": "Slack webhook",
  "slack/SLACK_TOKEN": "Slack token",
}

/** What was found, in words: `GitHub token`. For a rule without a title, its own name. */
export const titleOf = (rule: string): string => TITLES[rule] ?? rule
