// Long because it is one table: what a person must say of each vendor.
import { isHttpsOrLoopback } from "../../broker/core/url.ts"
import { partitionOf } from "../../broker/providers/aws/partitions.ts"
import type { RepositoryFacts } from "../github/repository.ts"
import type { YamlValue } from "./yaml-text.ts"

/** Where the first credential comes from: what a person must say, and what follows from it. */
export interface Vendor {
  /** For people. */
  readonly name: string
  readonly provider: string
  /** The name of its connection in a new organisation file. */
  readonly connection: string
  readonly fields: readonly Field[]
  /** The connection's settings, besides its provider. */
  settings(given: Given, facts: RepositoryFacts): Readonly<Record<string, YamlValue>>
  /** The name of the first grant, and its keys besides `connection` and `ttl`. */
  readonly grant: string
  grantFields(given: Given): Readonly<Record<string, YamlValue>>
  /** Left out for a grant that is read once and has no end. */
  readonly ttl?: string
  /** What the grant's comment says. */
  readonly advice: string
  /** Secrets that the connection names, and what each one is. */
  readonly secrets?: readonly { readonly name: string; readonly is: string }[]
  /** The command that shows in a job that it has arrived. */
  readonly proof: string
  /** The vendor's page, from the repository's root. */
  readonly page: string
}

export type Given = Readonly<Record<string, string>>

/** One thing that a person must say. As an option it is `--with NAME=VALUE`. */
export interface Field {
  readonly name: string
  readonly message: string
  readonly pattern: RegExp
  /** What a value must look like: the end of "must be". */
  readonly form: string
  /** What is offered, from what is known already. */
  initial?(repository: string, given: Given): string
}

/** The secret that holds the private key of an App that mints tokens for jobs. */
export const APP_KEY = "DEPLOY_APP_KEY"
/** The field that init can answer itself, by making the App. */
export const APP_ID = "app_id"

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const VENDORS: Readonly<Record<string, Vendor>> = {
  aws: {
    name: "AWS: a role session",
    provider: "aws",
    connection: "aws-prod",
    fields: [
      { name: "account", message: "AWS account id", pattern: /^[0-9]{12}$/, form: "12 digits" },
      {
        name: "region",
        message: "AWS region",
        pattern: /^[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}$/,
        form: "a region, such as eu-west-1",
        initial: () => "us-east-1",
      },
      {
        name: "role",
        message: "IAM role for this job (it may not exist yet)",
        pattern: /^[A-Za-z0-9+=,.@_-]{1,64}$/,
        form: "the name of a role, without a path",
        initial: (repository) => `${repository.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 57)}-deploy`,
      },
    ],
    settings: ({ region = "", account = "" }) => ({ region, accounts: [account] }),
    grant: "aws-deploy",
    grantFields: ({ region = "", account = "", role = "" }) => ({
      role: `arn:${partitionOf(region).name}:iam::${account}:role/${role}`,
    }),
    ttl: "15m",
    advice: "A role that trusts the broker, and that has only the permissions that this job needs.",
    proof: "aws sts get-caller-identity",
    page: "broker/providers/aws/README.md",
  },
  google: {
    name: "Google Cloud: an access token of a service account",
    provider: "google",
    connection: "google",
    fields: [
      {
        name: "project",
        message: "Google Cloud project id",
        pattern: /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
        form: "the id of a project, such as acme-prod",
      },
      {
        name: "project_number",
        message: "Its project number",
        pattern: /^[0-9]{6,20}$/,
        form: "a number: gcloud projects describe PROJECT --format='value(projectNumber)' prints it",
      },
      {
        name: "service_account",
        message: "Service account",
        pattern: /^[a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com$/,
        form: "the address of a service account, NAME@PROJECT.iam.gserviceaccount.com",
        initial: (repository, { project = "" }) =>
          `${repository
            .toLowerCase()
            .replace(/[^a-z0-9-]/g, "-")
            .slice(0, 23)}-deploy@${project}.iam.gserviceaccount.com`,
      },
    ],
    settings: ({ project = "", project_number: number = "", service_account: account = "" }) => ({
      workload_identity_provider: `projects/${number}/locations/global/workloadIdentityPools/daypass/providers/broker`,
      service_accounts: [account],
      project,
    }),
    grant: "google-deploy",
    grantFields: ({ service_account: account = "" }) => ({
      service_account: account,
      scopes: ["https://www.googleapis.com/auth/cloud-platform"],
    }),
    ttl: "15m",
    advice: "A service account with only the roles that this job needs.",
    proof: "gcloud projects list --limit=1",
    page: "broker/providers/google/README.md",
  },
  azure: {
    name: "Azure: an access token of an application",
    provider: "azure",
    connection: "azure",
    fields: [
      { name: "tenant", message: "Entra tenant id", pattern: UUID, form: "a UUID in lower case" },
      { name: "client_id", message: "Client id of the application", pattern: UUID, form: "a UUID in lower case" },
      { name: "subscription", message: "Azure subscription id", pattern: UUID, form: "a UUID in lower case" },
    ],
    settings: ({ tenant = "", client_id: client = "", subscription = "" }) => ({
      tenant,
      client_ids: [client],
      subscription,
    }),
    grant: "azure-deploy",
    grantFields: ({ client_id: client = "" }) => ({
      client_id: client,
      scope: "https://management.azure.com/.default",
    }),
    ttl: "90m",
    advice:
      "An application with only the roles that this job needs. Entra decides how long a token lives: 60 to 90 minutes.",
    proof:
      'curl -fsS -H "Authorization: Bearer $AZURE_ACCESS_TOKEN" "https://management.azure.com/subscriptions/$AZURE_SUBSCRIPTION_ID?api-version=2022-12-01"',
    page: "broker/providers/azure/README.md",
  },
  vault: {
    name: "Vault or OpenBao: a token of a role",
    provider: "vault",
    connection: "vault",
    fields: [
      {
        name: "url",
        message: "URL of Vault",
        pattern: /^https?:\/\/[a-z0-9.:[\]-]+$/,
        form: "an https URL without a path, such as https://vault.acme.example:8200",
      },
      {
        name: "role",
        message: "Role of its JWT auth method for this job (it may not exist yet)",
        pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
        form: "the name of a role",
        initial: (repository) => `${repository.replace(/[^A-Za-z0-9_.-]/g, "-").slice(0, 57)}-deploy`,
      },
    ],
    settings: ({ url = "", role = "" }) => ({ url, roles: [role] }),
    grant: "vault-token",
    grantFields: ({ role = "" }) => ({ role, token: true }),
    ttl: "15m",
    advice:
      "A token of Vault with only the policies that this job needs. read: and dynamic: give values in place of a token.",
    proof: "vault token lookup",
    page: "broker/providers/vault/README.md",
  },
  github: {
    name: "GitHub: a token of your GitHub App for other repositories",
    provider: "github",
    connection: "github-app",
    fields: [
      {
        name: "repositories",
        message: "Repositories of the same owner that the job needs, with a space between them",
        pattern: /^[A-Za-z0-9._-]+(?: [A-Za-z0-9._-]+){0,19}$/,
        form: "names of repositories without the owner",
      },
      {
        name: "permission",
        message: "What the job may do there",
        pattern: /^[a-z_]+:(?:read|write)(?: [a-z_]+:(?:read|write)){0,9}$/,
        form: "permissions with a space between them, such as contents:write pull_requests:write",
        initial: () => "contents:read",
      },
      {
        name: APP_ID,
        message: "Id of the GitHub App",
        pattern: /^[1-9][0-9]{0,14}$/,
        form: "the App's id, a number. --app mint makes an App",
      },
    ],
    settings: ({ app_id: appId = "" }, { owner, ownerId }) => ({
      app_id: appId,
      key: `env:${APP_KEY}`,
      owner,
      owner_id: ownerId,
    }),
    grant: "github-token",
    grantFields: ({ repositories = "", permission = "" }) => ({
      repositories: repositories.split(" "),
      permissions: Object.fromEntries(permission.split(" ").map((one) => one.split(":"))) as Record<string, string>,
    }),
    ttl: "15m",
    advice: "A token for these repositories alone. The broker revokes it when the job ends.",
    secrets: [{ name: APP_KEY, is: "the private key of the App" }],
    proof: 'gh api installation/repositories --jq ".repositories[].full_name"',
    page: "broker/providers/github/README.md",
  },
  sops: {
    name: "SOPS: values from an encrypted file beside the policies",
    provider: "sops",
    connection: "secrets",
    fields: [
      {
        name: "value",
        message: "The value, as NAME=FILE#KEY, of a file that is in policies/secrets already",
        pattern: /^[A-Z][A-Z0-9_]*=[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*\.sops\.(?:yaml|yml|json|env)#[^\s]+$/,
        form: "NAME=FILE#KEY, such as API_KEY=shop/production.sops.yaml#api/key",
        initial: (repository) => `API_KEY=${repository.replace(/^\.+/, "")}/production.sops.yaml#api_key`,
      },
    ],
    settings: () => ({ key: "env:SOPS_AGE_KEY", folder: "secrets" }),
    grant: "secrets",
    grantFields: ({ value = "" }) => {
      const [name = "", from = ""] = value.split(/=(.*)/s)
      return { read: { [name]: from } }
    },
    advice:
      "The values that this job needs. Values that a job has read cannot be taken back: prefer a grant that ends.",
    secrets: [{ name: "SOPS_AGE_KEY", is: "the age key that opens the files: age-keygen prints one" }],
    proof: 'test -n "$API_KEY"',
    page: "broker/providers/sops/README.md",
  },
}

/** What is wrong with a value; null when nothing is. */
export function fieldFault({ name, pattern, form }: Field, value: string): string | null {
  if (!pattern.test(value)) return `must be ${form}`
  // Vault over plain http is for this machine alone, as everywhere.
  return name === "url" && !isHttpsOrLoopback(value) ? `must be ${form}` : null
}
