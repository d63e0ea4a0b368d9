import type { Connection } from "../../broker/core/policy/model.ts"

/** What a command line of a store needs of a connection's settings. Read from an organisation file that was checked. */
type Settings = Readonly<Record<string, unknown>>

const text = (value: unknown, otherwise: string): string =>
  typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : otherwise

const first = (value: unknown, otherwise: string): string =>
  text(Array.isArray(value) ? value[0] : Object.keys((value as object | undefined) ?? {})[0], otherwise)

/**
 * The command that puts a value into a store, by the provider of its connection. The value comes from the file `value.txt`: an
 * argument is in the shell's history, and other users of the machine can read it. Words in capital letters are for the reader to
 * replace, but for the secret's name.
 */
const COMMANDS: Readonly<Record<string, (name: string, settings: Settings) => string>> = {
  __proto__: null as never,
  "1password": (_, { vaults }) => `op item create --vault ${first(vaults, "VAULT")} --template item.json`,
  "aws-parameter-store": (name, { region }) =>
    `aws ssm put-parameter --region ${text(region, "REGION")} --type SecureString --name /ci/${name} --value file://value.txt`,
  "aws-secrets-manager": (name, { region }) =>
    `aws secretsmanager create-secret --region ${text(region, "REGION")} --name ci/${name} --secret-string file://value.txt`,
  "azure-key-vault": (name, { vault }) =>
    `az keyvault secret set --vault-name ${text(vault, "VAULT")} --name ${name.replaceAll(/[^A-Za-z0-9-]/g, "-")} --file value.txt`,
  conjur: (name) => `conjur variable set -i ci/${name} -f value.txt`,
  doppler: (name, { projects }) =>
    `doppler secrets set ${name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, "_")} --project ${first(projects, "PROJECT")} --config CONFIG < value.txt`,
  "google-secret-manager": (name, { project }) =>
    `gcloud secrets create ${name} --project ${text(project, "PROJECT")} --data-file value.txt`,
  infisical: (name, { projects }) =>
    `infisical secrets set ${name}=@value.txt --projectId ${first(projects, "PROJECT_ID")} --env ENVIRONMENT`,
  sops: (name, { folder }) =>
    `sops edit ${folder === undefined ? "" : `${text(folder, "FOLDER")}/`}ci.sops.yaml # ${name}: ...`,
  vault: (name, { kv, namespace }) =>
    `vault kv put ${namespace === undefined ? "" : `-namespace ${text(namespace, "NAMESPACE")} `}-mount ${first(kv, "secret")} ci/${name} value=@value.txt`,
}

/** A place for values that the policies' connections offer. */
export interface Store {
  readonly connection: string
  readonly provider: string
  command(name: string): string
}

/** The stores among connections, in the order of the file. */
export function storesAmong(connections: Iterable<Connection>): readonly Store[] {
  return [...connections].flatMap(({ name: connection, provider, settings }) => {
    const make = COMMANDS[provider]
    return make === undefined ? [] : [{ connection, provider, command: (name) => make(name, settings as Settings) }]
  })
}

/** For those who have no store yet: SOPS files need no service. */
export const FIRST_STORE: Store = {
  connection: "",
  provider: "sops",
  command: (name) => COMMANDS["sops"]?.(name, { folder: "policies/secrets" }) ?? "",
}
