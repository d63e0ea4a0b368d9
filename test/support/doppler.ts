import { randomBytes } from "node:crypto"
import { TokenRefusal, verifyIdentityToken } from "./relying-party.ts"
import {
  type Ask,
  bearerOf,
  hasAtLeast,
  hasExactly,
  json,
  Logins,
  type StoreAnswer,
  type StoreServer,
  startStoreServer,
  textsIn,
} from "./store-server.ts"

/** A service account's identity, and the configs that the account may read, as `shop/prd`. */
export interface DopplerIdentity {
  readonly id: string
  readonly issuer: string
  readonly audience: string
  readonly subject: string
  readonly configs: readonly string[]
}

export interface DopplerSecret {
  readonly raw: string
  readonly computed: string
  /** A restricted value is kept from people's tokens. A service account reads it. */
  readonly visibility: "masked" | "unmasked" | "restricted"
}

export interface Doppler extends StoreServer {
  /** Makes an identity exist; one with the same id is replaced. */
  addIdentity(identity: DopplerIdentity): void
  /** Makes a config exist, as `shop/prd`, with these secrets by name. */
  addConfig(config: string, secrets: Readonly<Record<string, DopplerSecret>>): void
  /** Ends all logins, as a deleted identity's are. */
  endLogins(): void
}

const LOGIN_SECONDS = 1_800

/** Starts a stand-in for Doppler: the login of a service account's identity, and the secrets of a config, by name. */
export async function startDoppler(): Promise<Doppler> {
  const identities = new Map<string, DopplerIdentity>()
  const configs = new Map<string, Readonly<Record<string, DopplerSecret>>>()
  const logins = new Logins<DopplerIdentity>()

  const server = await startStoreServer("Doppler", async (ask) => {
    if (ask.method === "POST" && ask.path === "/v3/auth/oidc") return logIn(ask)
    if (ask.method === "GET" && ask.path === "/v3/configs/config/secrets") return list(ask)
    if (ask.method === "GET" && ask.path === "/v3/configs/config/secret") return one(ask)
    return null
  })

  async function logIn(ask: Ask): Promise<StoreAnswer | null> {
    const sent = textsIn(ask, "identity", "token")
    if (sent === null || !hasExactly(ask.query) || ask.headers.authorization !== undefined) return null
    const identity = identities.get(sent.identity)
    if (identity === undefined) return refused(404, "Could not find requested identity")
    const { issuer, audience, subject } = identity
    try {
      const { sub } = await verifyIdentityToken(sent.token, [{ issuer, audiences: [audience] }])
      if (sub !== subject) return refused(401, "Token claims do not match the identity's configuration")
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error
      return refused(401, `Invalid OIDC token: ${error.fault}`)
    }
    const token = `dp.said.${randomBytes(32).toString("base64url")}`
    logins.add(token, identity, LOGIN_SECONDS)
    return json(200, { token, expires_at: new Date(Date.now() + LOGIN_SECONDS * 1000).toISOString() })
  }

  function list(ask: Ask): StoreAnswer | null {
    if (
      !hasAtLeast(ask.query, ["project", "config"], ["secrets", "include_dynamic_secrets", "include_managed_secrets"])
    )
      return null
    // Left out, it is false.
    if ((ask.query.get("include_dynamic_secrets") ?? "false") !== "false") return null
    const config = configFor(ask)
    if (config.secrets === undefined) return config.refusal
    const managed = ask.query.get("include_managed_secrets") ?? "true"
    if (!["true", "false"].includes(managed)) return null
    const wanted = ask.query.get("secrets")?.split(",") ?? Object.keys(config.secrets)
    const shown = Object.fromEntries([
      ...(managed === "true" && !ask.query.has("secrets") ? managedIn(ask) : []),
      ...wanted.map((name) => [name, shownIn(config.secrets, name)]),
    ])
    return json(200, { secrets: shown, success: true })
  }

  /** A single one, as Doppler's SDKs and its command ask for it. */
  function one(ask: Ask): StoreAnswer | null {
    if (!hasExactly(ask.query, "project", "config", "name")) return null
    const config = configFor(ask)
    if (config.secrets === undefined) return config.refusal
    const name = ask.query.get("name") ?? ""
    return json(200, { name, value: shownIn(config.secrets, name), success: true })
  }

  /** The secrets of the config that is asked for, or why they are not shown. */
  function configFor(ask: Ask) {
    const refuse = (refusal: StoreAnswer) => ({ secrets: undefined, refusal })
    const identity = logins.holder(bearerOf(ask) ?? "")
    if (identity === undefined) return refuse(refused(401, "Invalid Auth token"))
    const name = `${ask.query.get("project")}/${ask.query.get("config")}`
    const secrets = configs.get(name)
    if (secrets === undefined) return refuse(refused(404, "Could not find requested config"))
    if (!identity.configs.includes(name)) return refuse(refused(400, "This token does not have access to the config"))
    return { secrets }
  }

  return {
    ...server,
    addIdentity: (identity) => void identities.set(identity.id, identity),
    addConfig: (config, secrets) => void configs.set(config, secrets),
    endLogins: () => logins.end(),
  }
}

/** What Doppler answers when one secret is asked for that a config lacks: 200, and every member null. Here in lists, too. */
const ABSENT = { raw: null, computed: null, note: null, rawVisibility: null, computedVisibility: null }

/** What Doppler itself adds to every list, unless it is told not to. */
const managedIn = ({ query }: Ask) =>
  (["project", "config"] as const).map((name) => {
    const raw = query.get(name)
    const visibility = { rawVisibility: "unmasked", computedVisibility: "unmasked" }
    return [`DOPPLER_${name.toUpperCase()}`, { raw, computed: raw, note: "", ...visibility }]
  })

function shownIn(secrets: Readonly<Record<string, DopplerSecret>>, name: string) {
  const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined
  if (secret === undefined) return ABSENT
  const { raw, computed, visibility } = secret
  return { raw, computed, note: "", rawVisibility: visibility, computedVisibility: visibility }
}

const refused = (status: number, message: string) => json(status, { messages: [message], success: false })
