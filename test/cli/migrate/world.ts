import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { generateIdentity, identityToRecipient } from "age-encryption"
import { sopsFile, type Values } from "../../../cli/migrate/import/sops-file.ts"
import { folderOf } from "../run-cli.ts"
import { ORGANISATION, PRODUCTION } from "./policies.ts"

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
