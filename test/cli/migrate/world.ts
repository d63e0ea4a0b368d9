import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { generateIdentity, identityToRecipient } from "age-encryption"
import { sopsFile, type Values } from "../../../cli/migrate/import/sops-file.ts"
import { folderOf } from "../run-cli.ts"

/** A repository with ten workflows of the usual kinds. */
export const SHOP = fileURLToPath(new URL("../../fixtures/migrate/shop", import.meta.url))

/** All files below a folder, as texts. */
export function textsIn(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true }).map(String)
  const files = paths.filter((path) => statSync(join(folder, path)).isFile())
  return Object.fromEntries(
    files.sort().map((path) => [path.replaceAll("\\", "/"), readFileSync(join(folder, path), "utf8")]),
  )
}

export const ORGANISATION = `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { acme: "9001" }
connections:
  aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
  google-prod:
    provider: google
    workload_identity_provider: projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker
    service_accounts: [deploy@acme-prod.iam.gserviceaccount.com]
  team-secrets: { provider: sops, key: env:SOPS_AGE_KEY, folder: secrets }
  doppler-shop: { provider: doppler, identity: 2f1c7e1a-5b52-4a8e-9d3c-0e6f4b7a9c15, projects: [shop] }
  github-acme: { provider: github, app_id: "730001", key: env:ACME_APP_KEY, owner: acme, owner_id: "9001" }
`

/** The environment as its team has it before: the clouds' roles, and a token for another repository. */
export const PRODUCTION = `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow:
  - name: deploy
    when: { ref: [refs/heads/main, "refs/tags/v*"], event_name: [push, workflow_dispatch] }
    grants: [aws-deploy, google-deploy, site]
grants:
  aws-deploy: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/shop-deploy" }
  google-deploy: { connection: google-prod, service_account: deploy@acme-prod.iam.gserviceaccount.com }
  site: { connection: github-acme, repositories: [site], permissions: { contents: read } }
`

const IDENTITY = await generateIdentity()
export const RECIPIENT = await identityToRecipient(IDENTITY)
export const KEY = IDENTITY

const VALUES: Values = ["SLACK_WEBHOOK", "DOCKERHUB_TOKEN", "DB_PASSWORD", "TF_API_TOKEN", "ALGOLIA_KEY"].map(
  (name) => [name, `value of ${name}`],
)

/** A policy folder in which the store has some of the values. */
export async function policyFolder(more: Readonly<Record<string, string>> = {}): Promise<string> {
  return folderOf({
    "daypass.yaml": ORGANISATION,
    "acme/shop/production.yaml": PRODUCTION,
    "secrets/acme/shop/production.sops.yaml": await sopsFile(VALUES, [RECIPIENT], new Date("2026-11-29T12:00:00Z")),
    ...more,
  })
}

export const SHA = "1234567890abcdef1234567890abcdef12345678"
export const PLAN_ARGS = [
  "acme/shop",
  "--environment",
  "production",
  "--broker",
  "https://daypass.example.com",
  "--action",
  SHA,
]
export const OFFLINE = ["--repository-id", "41", "--branch", "main"]
