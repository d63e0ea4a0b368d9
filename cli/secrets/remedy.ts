import type { Connection } from "../../broker/core/policy/model.ts"
import { type Kind, kindOf } from "./kinds.ts"
import { FIRST_STORE, type Store, storesAmong } from "./stores.ts"

/** What to do about a secret, once it is worthless where it was found. */
export interface Remedy {
  readonly advice: string
  /** Each can be run as it is, but for words in capital letters. No value is in them. */
  readonly commands: readonly string[]
  /** For the policy; null where a command is enough. */
  readonly policy: string | null
}

/** Remedies by the connections of a policy folder; without them, by what every set-up can have. */
export class Remedies {
  readonly #connections: readonly Connection[]
  readonly #stores: readonly Store[]
  readonly #folder: string

  /** `folder`: as it stands in commands. */
  constructor(connections: readonly Connection[], folder: string) {
    this.#connections = connections
    this.#folder = /^[\w./-]+$/.test(folder) ? folder : "policies"
    const stores = storesAmong(connections)
    this.#stores = stores.length === 0 ? [FIRST_STORE] : stores
  }

  /** `name`: of the secret, as its file calls it; null for a literal without a name. */
  for(rule: string, name: string | null): Remedy {
    const kind = kindOf(rule)
    const title = name ?? kind.toUpperCase()
    const trust = this.#trust(kind)
    if (trust !== null) return { advice: ADVICE[kind], commands: [trust], policy: null }
    if (kind === "github") return { advice: ADVICE.github, commands: [], policy: this.#gitHubGrant() }
    return { advice: ADVICE[kind], commands: this.#stores.map((store) => store.command(title)), policy: null }
  }

  #gitHubGrant(): string {
    const connection = this.#connections.find(({ provider }) => provider === "github")?.name ?? "CONNECTION"
    return `grants: { NAME: { connection: ${connection}, repositories: [REPOSITORY], permissions: { contents: read } } }`
  }

  /** What the other side must trust, so that no secret is needed; null for a secret that needs a place. */
  #trust(kind: Kind): string | null {
    const provider = TRUSTED[kind]
    if (provider === undefined) return null
    const [connection] = this.#connections.filter((one) => provider.includes(one.provider))
    return `daypass trust ${this.#folder}${connection === undefined ? "" : ` --connection ${connection.name}`}`
  }
}

const TRUSTED: Partial<Readonly<Record<Kind, readonly string[]>>> = {
  aws: ["aws"],
  azure: ["azure"],
  google: ["google"],
  login: ["vault", "doppler", "infisical", "conjur"],
}

const ADVICE: Readonly<Record<Kind, string>> = {
  aws: "No store: give the job a role of AWS. When a policy grants it, this prints what the role must trust:",
  azure:
    "No store: give the job a federated credential. When a policy grants it, this prints what Entra ID must trust:",
  database: "Let Vault make a user for each job, or keep a new password in a store:",
  github:
    "No store: a grant of the provider github gives the job a token for some repositories, which ends with the job:",
  google:
    "No store: give the job a service account without a key. When a policy grants it, this prints what Google must trust:",
  key: "Make a new key, and keep it in a store:",
  login:
    "No token: the broker logs in with its own identity. When a policy grants it, this prints what the store must trust:",
  store: "Make a new one where it was issued, and keep it in a store:",
}
