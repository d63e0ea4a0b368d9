import type { PolicyInput } from "../../../broker/core/policy/load.ts"
import type { Connection, Policy, PolicySet } from "../../../broker/core/policy/model.ts"
import { readFile } from "../../../broker/providers/sops/document.ts"
import { isForbiddenVariable } from "../../../broker/wire/variables.ts"
import type { Kind } from "../kinds.ts"
import type { MigratedGrant } from "./policy-file.ts"

/** What a job can get in place of a secret. */
export interface Offer {
  readonly grant: string
  /** Present for a grant that the migration writes. */
  readonly written?: MigratedGrant
  /** For people, about what to check. */
  readonly note?: string
}

/** Where offers come from. */
export interface OfferWorld {
  readonly set: PolicySet
  readonly inputs: readonly PolicyInput[]
  /** Of the environment, without the file that the migration writes. */
  readonly policies: readonly Policy[]
  readonly repository: string
  readonly environment: string | null
  /** The connection of the store, as the user chose it. */
  readonly store: string | undefined
  /** A locator with the gap `{name}`, as the user chose it. */
  readonly locator: string | undefined
}

/** Providers whose grants need nothing but locators of stored values. Vault's name a role, too. */
const STORES: ReadonlySet<string> = new Set([
  "sops",
  "aws-secrets-manager",
  "aws-parameter-store",
  "google-secret-manager",
  "azure-key-vault",
  "1password",
  "doppler",
  "infisical",
  "conjur",
])

const CLOUDS: Readonly<Partial<Record<Kind, string>>> = { aws: "aws", google: "google", github: "github" }

/** A cloud's or GitHub's grant in the environment's policy. A text says what is missing. */
export function cloudOffer(kind: Kind, world: OfferWorld): Offer | string {
  const provider = CLOUDS[kind]
  if (provider === undefined) return HOW[kind] ?? "no grant can take its place"
  const found = world.policies
    .flatMap(({ grants }) => [...grants.values()])
    .filter((grant) => grant.connection.provider === provider)
  const [only] = found
  if (found.length > 1)
    return `the environment's policies have several grants of ${provider} (${found.map(({ name }) => name).join(", ")}): change this place by hand`
  if (only === undefined)
    return `the environment's policies have no grant of a ${provider} connection: add one, with docs/providers.md, and run this again`
  return { grant: only.name, note: `check that a rule of ${only.file} lets the workflow have ${only.name}` }
}

const HOW: Readonly<Partial<Record<Kind, string>>> = {
  azure:
    "az logs in by itself: give its commands to a step with run and azure-cli: login, see docs/run-a-command.md#azure",
  vault: "a job logs in to Vault by its own identity: write a grant of a vault connection, see broker/providers/vault",
  publish: "the registry can trust this workflow: set up trusted publishing there, and remove the token",
  variable: "it is no secret: gh variable set it, and write vars in place of secrets",
}

/** A stored value under this variable. A text says what is missing. */
export function storeOffer(secret: string, variable: string, world: OfferWorld): Offer | string {
  if (isForbiddenVariable(variable))
    return `a grant cannot set the variable ${variable}, because it changes how later steps run: rename it`
  const store = storeOf(world)
  if (typeof store === "string") return store
  const locator = locatorOf(secret, store, world)
  if (locator === null) return `say where ${store.name} has the values, with --locator and {name} for the secret's name`
  const missing = store.provider === "sops" ? missingIn(locator, secret, store, world.inputs) : null
  if (missing !== null) return missing
  const grant = grantName(variable)
  const note = store.provider === "sops" ? undefined : `check that ${store.name} has ${locator}`
  return {
    grant,
    written: { name: grant, connection: store.name, fields: { read: { [variable]: locator } } },
    ...(note !== undefined && { note }),
  }
}

function storeOf({ set, store }: OfferWorld): Connection | string {
  const { connections } = set.organisation
  const all = [...connections.values()].filter(({ provider }) => STORES.has(provider))
  const names = all.map(({ name }) => name).join(", ") || "none"
  if (store !== undefined)
    return all.find(({ name }) => name === store) ?? `daypass.yaml has no store ${store}. It has: ${names}`
  const files = all.filter(({ provider }) => provider === "sops")
  const [only] = files
  return files.length === 1 && only !== undefined
    ? only
    : `choose a store with --store: a connection of daypass.yaml (${names})`
}

/** For SOPS a file of the repository and the environment, whose keys are the names of the secrets. Null: nobody said where. */
function locatorOf(secret: string, { provider }: Connection, world: OfferWorld): string | null {
  const { repository, environment, locator } = world
  if (locator !== undefined) return locator.replaceAll("{name}", secret)
  const stem = (environment ?? "no-environment").replace(/[^A-Za-z0-9_-]+/g, "-")
  return provider === "sops" ? `${repository}/${stem}.sops.yaml#${secret}` : null
}

/** Why a SOPS file does not have the value yet; null when it has. */
function missingIn(
  locator: string,
  secret: string,
  { settings }: Connection,
  inputs: readonly PolicyInput[],
): string | null {
  const [file = "", key = ""] = locator.split("#")
  const folder = typeof settings === "object" && settings !== null && "folder" in settings ? `${settings.folder}/` : ""
  const path = `${folder}${file}`
  const input = inputs.find((one) => one.path === path)
  if (input !== undefined && readFile(path, input.bytes).parts.has(key)) return null
  return `its value is not in ${path} yet. GitHub never shows a value: get a new one where it was issued, and put it there as ${key || secret} (daypass migrate import, or sops edit)`
}

/** A grant's name after a variable: `STRIPE_KEY` is `stripe-key`. */
export function grantName(variable: string): string {
  const name = variable
    .toLowerCase()
    .replace(/_+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
  return /^[a-z]/.test(name) ? name : `secret-${name}`
}
