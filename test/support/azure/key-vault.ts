import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, publicEncrypt, randomBytes } from "node:crypto"
import type { Azure } from "../azure.ts"
import {
  type Ask,
  bearerOf,
  hasExactly,
  json,
  type StoreAnswer,
  type StoreServer,
  startStoreServer,
  textsIn,
} from "../store-server.ts"

const API_VERSIONS = ["7.4", "7.5", "7.6", "2025-07-01", "2026-04-01"]
const NAME = /^[0-9A-Za-z-]{1,127}$/
const VERSION = /^[0-9a-f]{32}$/i
const MAX_VALUE_BYTES = 25_000
const RESOURCE = "https://vault.azure.net"

/** One version of a secret. */
export interface SecretVersion {
  readonly value: string
  /** Made up when left out. */
  readonly version?: string
  readonly enabled?: boolean
  /** In seconds since 1970. */
  readonly nbf?: number
  readonly exp?: number
  readonly contentType?: string
}

/** Who may read: `Key Vault Secrets User` on one secret, or on the whole vault; or `Key Vault Crypto User` on a key. */
export interface Assignment {
  readonly clientId: string
  /** A key that the client may use. Its secrets are not meant then. */
  readonly key?: string
  /** All of the vault when left out. */
  readonly secret?: string
}

export interface KeyVault extends StoreServer {
  /** Makes a secret exist, its versions the oldest first; one of the same name, in whatever case, is replaced. */
  addSecret(name: string, ...versions: readonly SecretVersion[]): void
  assign(assignment: Assignment): void
  /** Makes an RSA key exist, with one version; returns that. */
  addKey(name: string): string
  /** What a client encrypts with a key's public half, RSA-OAEP-256, base64url. */
  encrypt(key: string, plaintext: Uint8Array): string
  /** Closes the firewall, to everybody. */
  closeFirewall(): void
}

/** Starts a stand-in for one vault that goes by roles. It takes the tokens that this Entra gave out, and no others. */
export async function startKeyVault(entra: Pick<Azure, "holder" | "tenant">): Promise<KeyVault> {
  const secrets = new Map<string, { readonly name: string; readonly versions: readonly StoredVersion[] }>()
  const keys = new Map<
    string,
    { readonly version: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  >()
  const assignments: Assignment[] = []
  let isClosed = false

  const server = await startStoreServer("Azure Key Vault", async (ask) => {
    // The SDK leaves the version empty, and the slash before it.
    const keyPath = /^\/keys\/([^/]+)\/([^/]+)\/decrypt$/.exec(ask.path)
    if (keyPath !== null && ask.method === "POST" && hasExactly(ask.query, "api-version"))
      return decrypt(ask, keyPath[1] ?? "", keyPath[2] ?? "")
    const path = /^\/secrets\/([^/]+)(?:\/([^/]*))?$/.exec(ask.path)
    if (path === null || ask.method !== "GET" || ask.body !== "" || !hasExactly(ask.query, "api-version")) return null
    if (!API_VERSIONS.includes(ask.query.get("api-version") ?? "")) return badParameter("api-version")
    return get(ask, path[1] ?? "", path[2] || undefined)
  })

  /** The client of a request that may come in, or why it may not. */
  function clientOf(ask: Ask): string | StoreAnswer {
    const holder = entra.holder(bearerOf(ask) ?? "")
    if (holder === undefined) return unauthorized(entra.tenant, "AKV10000: Request is missing a Bearer or PoP token.")
    if (holder.resource !== RESOURCE) return unauthorized(entra.tenant, "AKV10022: Invalid audience.")
    if (isClosed)
      return forbidden("ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service.")
    return holder.clientId
  }

  function decrypt(ask: Ask, name: string, version: string): StoreAnswer {
    const client = clientOf(ask)
    if (typeof client !== "string") return client
    if (!assignments.some((one) => one.clientId === client && one.key === name))
      return forbidden("ForbiddenByRbac", "Caller is not authorized to perform action on resource.")
    const key = keys.get(name)
    if (key === undefined || key.version !== version)
      return refused(404, "KeyNotFound", `A key with (name/id) ${name} was not found in this key vault.`)
    const asked = textsIn(ask, "alg", "value")
    if (asked === null || asked.alg !== "RSA-OAEP-256") return badParameter("alg")
    try {
      const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }
      const plain = privateDecrypt({ key: key.privateKey, ...padding }, Buffer.from(asked.value, "base64url"))
      return json(200, { kid: `${server.url}/keys/${name}/${version}`, value: plain.toString("base64url") })
    } catch {
      return badParameter("value")
    }
  }

  function get(ask: Ask, name: string, version: string | undefined): StoreAnswer {
    const client = clientOf(ask)
    if (typeof client !== "string") return client
    if (!NAME.test(name)) return badParameter("name")
    const isSame = (secret = name) => secret.toLowerCase() === name.toLowerCase()
    if (!assignments.some((one) => one.clientId === client && one.key === undefined && isSame(one.secret)))
      return forbidden("ForbiddenByRbac", "Caller is not authorized to perform action on resource.")
    const secret = secrets.get(name.toLowerCase())
    if (version !== undefined && !VERSION.test(version)) return badParameter("version")
    const found =
      version === undefined
        ? secret?.versions.at(-1)
        : secret?.versions.find((one) => one.version === version.toLowerCase())
    if (secret === undefined || found === undefined)
      return refused(404, "SecretNotFound", `A secret with (name/id) ${name} was not found in this key vault.`)
    if (!found.attributes.enabled)
      return forbidden("SecretDisabled", "Operation get is not allowed on a disabled secret.")
    const { value, contentType, attributes } = found
    return json(200, {
      value,
      ...(contentType === "" ? {} : { contentType }),
      id: `${server.url}/secrets/${secret.name}/${found.version}`,
      attributes,
      tags: {},
    })
  }

  return {
    ...server,
    addSecret(name, ...versions) {
      if (!NAME.test(name)) throw new TypeError("a secret's name has letters, digits and -, at most 127")
      secrets.set(name.toLowerCase(), { name, versions: versions.map(stored) })
    },
    addKey(name) {
      const version = randomBytes(16).toString("hex")
      keys.set(name, { version, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) })
      return version
    },
    encrypt(name, plaintext) {
      const key = keys.get(name)?.publicKey
      if (key === undefined) throw new TypeError(`there is no key ${name}`)
      const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }
      return publicEncrypt({ key, ...padding }, plaintext).toString("base64url")
    },
    assign: (assignment) => void assignments.push(assignment),
    closeFirewall() {
      isClosed = true
    },
  }
}

interface StoredVersion {
  readonly version: string
  readonly value: string
  readonly contentType: string
  readonly attributes: Readonly<Record<string, unknown>>
}

/** A version as it is kept. Its dates are told, and heeded by nobody here. */
function stored({ value, version, enabled = true, nbf, exp, contentType = "" }: SecretVersion): StoredVersion {
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) throw new TypeError("a value has at most 25,000 bytes")
  const created = Math.floor(Date.now() / 1000)
  return {
    version: version ?? randomBytes(16).toString("hex"),
    value,
    contentType,
    attributes: { enabled, nbf, exp, created, updated: created, recoveryLevel: "Recoverable", recoverableDays: 90 },
  }
}

const refused = (status: number, code: string, message: string, inner?: string) =>
  json(status, { error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) } })
const forbidden = (inner: string, message: string) => refused(403, "Forbidden", message, inner)
const badParameter = (name: string) => refused(400, "BadParameter", `The request parameter ${name} is not valid.`)

/** The challenge names the vault's tenant: the SDK refuses to ask another one for a token. */
const unauthorized = (tenant: string, message: string): StoreAnswer => ({
  ...refused(401, "Unauthorized", message),
  headers: {
    "WWW-Authenticate": `Bearer authorization="https://login.microsoftonline.com/${tenant}", resource="${RESOURCE}"`,
  },
})
