import type { PolicyInput } from "../../../broker/core/policy/load.ts"
import type { Connection, Policy, PolicySet } from "../../../broker/core/policy/model.ts"
import { memberOf } from "../../../broker/core/policy/plain.ts"
import { readFile } from "../../../broker/providers/sops/document.ts"
import { isForbiddenVariable } from "../../../broker/wire/variables.ts"
import type { Kind } from "../kinds.ts"
import { draftedGrant, type Said } from "./drafts.ts"
import type { MigratedGrant } from "./policy-file.ts"

/** What a job can get in place of a secret. */
export interface Offer {
  readonly grant: string
  readonly connection: string
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
  /** What the user said of grants to be drafted. */
  readonly said: Said
  /** Grants of the file that an earlier migration wrote. */
  readonly earlier: readonly MigratedGrant[]
}

/** Providers whose grants name stored values. Vault's name a role, too. */
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
  "vault",
])

/** Kinds whose grants give credentials that end. */
const PROVIDERS_OF: Readonly<Partial<Record<Kind, string>>> = {
  aws: "aws",
  google: "google",
  github: "github",
  vault: "vault",
}

/** A grant of a cloud, of GitHub or of Vault: the environment's own, or a drafted one. A text says what is missing. */
export function cloudOffer(kind: Kind, world: OfferWorld): Offer | string {
  const provider = PROVIDERS_OF[kind]
  if (provider === undefined) return HOW[kind] ?? "no grant can take its place"
  const found = world.policies
    .flatMap(({ grants }) => [...grants.values()])
    .filter((grant) => grant.connection.provider === provider && isCredential(grant.fields))
  const [only] = found
  if (found.length > 1)
    return `the environment's policies have several grants of ${provider} (${found.map(({ name }) => name).join(", ")}): change this place by hand`
  if (only === undefined) return draftedOffer(provider, world)
  const unused = world.said.has(provider) ? `. It is there already, so --with ${provider} is not used` : ""
  return {
    ...{ grant: only.name, connection: only.connection.name },
    note: `check that a rule of ${only.file} lets the workflow have ${only.name}${unused}`,
  }
}

/** A grant of Vault may read values of the store, too: that is no login. */
const isCredential = (fields: unknown) =>
  !["read", "read_all", "dynamic"].some((key) => memberOf(fields, key) !== undefined)

/** What an earlier migration drafted stays as it is: other workflows use it. */
function draftedOffer(provider: string, { said, earlier, set }: OfferWorld): Offer | string {
  const { connections } = set.organisation
  const known = earlier.find(
    ({ connection, fields }) => connections.get(connection)?.provider === provider && isCredential(fields),
  )
  const drafted =
    known !== undefined && !said.has(provider) ? known : draftedGrant(provider, said, connections.values())
  if (typeof drafted === "string") return drafted
  const { name, connection, fields } = drafted
  if (
    known !== undefined &&
    known.name === name &&
    JSON.stringify([known.connection, known.fields]) !== JSON.stringify([connection, fields])
  )
    return `the migrated policy has ${name} already, with other settings: leave out --with ${provider}, or write a grant of your own`
  const { ttl } = fields
  const note =
    typeof ttl === "string"
      ? `${name} gives credentials for ${ttl}: does the job take longer? Then write the grant into your own policy file, with a longer ttl`
      : undefined
  return { grant: name, connection, written: drafted, ...(note !== undefined && { note }) }
}

const HOW: Readonly<Partial<Record<Kind, string>>> = {
  azure:
    "az logs in by itself: give its commands to a step with run and azure-cli: login, see docs/run-a-command.md#azure",
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
  const role = store.provider === "vault" ? world.said.get("vault")?.["role"] : ""
  if (role === undefined) return `say which role of Vault reads the values, with --with vault.role=...`
  // Two jobs may give different secrets to variables of one name.
  const grant = grantName(variable === secret ? secret : `${secret}_as_${variable}`)
  const read = { read: { [variable]: locator } }
  const note = store.provider === "sops" ? undefined : `check that ${store.name} has ${locator}`
  return {
    ...{ grant, connection: store.name },
    written: { name: grant, connection: store.name, fields: role === "" ? read : { role, ...read } },
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

/** A grant's name after a secret: `STRIPE_KEY` is `stripe-key`. */
export function grantName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/_+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
  return /^[a-z]/.test(name) ? name : `secret-${name}`
}
