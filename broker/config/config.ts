import { fail, ok, type Result } from "../core/result.ts"
import { Secret } from "../core/secret.ts"
import { isHttpsOrLoopback, isLoopbackHost } from "../core/url.ts"
import { KEY_BINDING_SEPARATOR } from "../wire/exchange.ts"

/** What a deployment is told from outside. Secrets are already wrapped. */
export interface Config {
  /** The broker's own URL, without a trailing slash: `iss` of its identity tokens. */
  readonly url: string
  /** What subject tokens must be for; the URL's origin unless set. */
  readonly audience: string
  /** Names the deployment in what is sealed: values sealed for one never open in another. The URL unless set. */
  readonly deployment: string
  /** 32 bytes; absent when none was given. */
  readonly kek?: Secret<Uint8Array>
  /** The GitHub App that the broker reads repositories' policies and environments through; absent when none is set up. */
  readonly gitHubApp?: GitHubAppConfig
  /** At the edge: whether policies are those in Workers KV or none. */
  readonly onlyPublishedPolicies: boolean
  /** A secret that a connection names; undefined when nobody set it. None of the broker's own settings is among them. */
  connectionSecret(name: string): Secret<string> | undefined
}

export interface GitHubAppConfig {
  /** The App's id, or its client id. */
  readonly id: string
  /** A private key as PEM (PKCS#1 or PKCS#8), or sealed under the deployment's key. */
  readonly key: Secret<string>
  /** Where its API is, without a trailing slash. The key speaks to no other host. */
  readonly apiUrl: string
  /** The issuer whose repositories it reads: the exact `iss` of their tokens. */
  readonly issuerUrl: string
}

/** A setting that is wrong, and what to write instead. Never its value. */
export interface ConfigFault {
  readonly setting: string
  readonly message: string
}

/**
 * Reads the settings of a deployment from a plain record, and reports all faults together.
 *
 * | setting | is |
 * |---|---|
 * | `DAYPASS_URL` | required: the public https URL; http for loopback hosts only |
 * | `DAYPASS_KEK` | 32 random bytes in base64: `openssl rand -base64 32` |
 * | `DAYPASS_AUDIENCE` | optional |
 * | `DAYPASS_DEPLOYMENT` | optional |
 * | `DAYPASS_POLICIES` | at the edge, `kv`: policies come from the binding `POLICIES` or not at all |
 * | `DAYPASS_GITHUB_APP_ID` | the id of the broker's GitHub App; with `DAYPASS_GITHUB_APP_KEY` or not at all |
 * | `DAYPASS_GITHUB_APP_KEY` | its private key: PEM as GitHub gives it, or what `daypass seal` made of it |
 * | `DAYPASS_GITHUB_API_URL` | `https://api.github.com` unless set |
 * | `DAYPASS_GITHUB_ISSUER` | whose repositories it reads; `https://token.actions.githubusercontent.com` unless set |
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Result<Config, readonly ConfigFault[]> {
  const faults: ConfigFault[] = []
  const fault = (setting: string, message: string) => void faults.push({ setting, message })

  const url = readUrl(env["DAYPASS_URL"], fault)
  const kek = readKek(env["DAYPASS_KEK"], fault)
  const audience = readText(env["DAYPASS_AUDIENCE"], "DAYPASS_AUDIENCE", fault)
  // A plain token for such an audience would read like one that is bound to a key.
  if (audience?.includes(KEY_BINDING_SEPARATOR)) {
    fault("DAYPASS_AUDIENCE", `must not contain ${KEY_BINDING_SEPARATOR}, which binds a token to a key`)
  }
  const deployment = readText(env["DAYPASS_DEPLOYMENT"], "DAYPASS_DEPLOYMENT", fault)
  const gitHubApp = readGitHubApp(env, fault)
  const policies = env["DAYPASS_POLICIES"] ?? ""
  if (policies !== "" && policies !== "kv") fault("DAYPASS_POLICIES", 'must be "kv", or be left out')

  if (url === undefined || faults.length > 0) return fail(faults)
  return ok({
    url,
    audience: audience ?? new URL(url).origin,
    deployment: deployment ?? url,
    ...(kek ? { kek } : {}),
    ...(gitHubApp ? { gitHubApp } : {}),
    onlyPublishedPolicies: policies === "kv",
    connectionSecret: (name) => readConnectionSecret(env, name),
  })
}

function readConnectionSecret(env: Readonly<Record<string, unknown>>, name: string): Secret<string> | undefined {
  if (name.startsWith("DAYPASS_") || !Object.hasOwn(env, name)) return undefined
  const value = env[name]
  // Bindings of the edge stand in the same record: a database is no secret.
  return typeof value === "string" && value.trim() !== "" ? new Secret(value.trim()) : undefined
}

/** Whether a broker at this URL is for this machine only, where a development key may do. */
export const isLocal = (config: Config): boolean => isLoopbackHost(new URL(config.url).hostname)

/** Whether nobody but this machine can connect to an address. A URL is only what a broker calls itself. */
export const isLocalAddress = (address: string): boolean => isLoopbackHost(address === "::1" ? "[::1]" : address)

type Report = (setting: string, message: string) => void

function readUrl(value: unknown, fault: Report): string | undefined {
  if (typeof value !== "string" || value === "") {
    fault("DAYPASS_URL", "set it to the broker's public URL, for example https://daypass.example.com")
    return undefined
  }
  if (!isHttpsOrLoopback(value)) {
    fault("DAYPASS_URL", "must be an https URL (http is for loopback hosts only)")
    return undefined
  }
  return plainUrl(value, "DAYPASS_URL", fault)
}

/** One spelling of a URL that others are compared with or appended to: no query, no fragment, no user, no trailing slash. */
function plainUrl(value: string, setting: string, fault: Report): string | undefined {
  const url = new URL(value)
  // By their marks too: the parser keeps an empty query or fragment in `href`, and calls both "".
  if (/[?#]/.test(value) || url.username !== "" || url.password !== "") {
    fault(setting, "must have no query, no fragment and no user")
    return undefined
  }
  return url.href.replace(/\/+$/, "")
}

const GITHUB_API_URL = "https://api.github.com"
const GITHUB_ISSUER_URL = "https://token.actions.githubusercontent.com"

/** Whether the key is one is found when it is opened: it may be sealed. */
function readGitHubApp(env: Readonly<Record<string, unknown>>, fault: Report): GitHubAppConfig | undefined {
  const id = readText(env["DAYPASS_GITHUB_APP_ID"], "DAYPASS_GITHUB_APP_ID", fault)
  const key = env["DAYPASS_GITHUB_APP_KEY"]
  const apiUrl = readServerUrl(env, "DAYPASS_GITHUB_API_URL", GITHUB_API_URL, fault)
  const issuerUrl = readServerUrl(env, "DAYPASS_GITHUB_ISSUER", GITHUB_ISSUER_URL, fault)
  const hasKey = typeof key === "string" && key.trim() !== ""
  if (!hasKey && id !== undefined)
    fault("DAYPASS_GITHUB_APP_KEY", "set it to the App's private key, as GitHub gives it")
  if (hasKey && id === undefined) fault("DAYPASS_GITHUB_APP_ID", "set it to the App's id, which its settings show")
  if (!hasKey || id === undefined || apiUrl === undefined || issuerUrl === undefined) return undefined
  return { id, key: new Secret(key.trim()), apiUrl, issuerUrl }
}

function readServerUrl(
  env: Readonly<Record<string, unknown>>,
  setting: string,
  usual: string,
  fault: Report,
): string | undefined {
  const value = env[setting]
  if (value === undefined || value === "") return usual
  if (typeof value === "string" && isHttpsOrLoopback(value)) return plainUrl(value, setting, fault)
  fault(setting, "must be an https URL (http is for loopback hosts only)")
  return undefined
}

const KEK_BYTES = 32
const REMEDY_KEK = "must be 32 random bytes in base64; make them with: openssl rand -base64 32"

function readKek(value: unknown, fault: Report): Secret<Uint8Array> | undefined {
  if (value === undefined || value === "") return undefined
  const text = typeof value === "string" ? value.trim() : ""
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) {
    fault("DAYPASS_KEK", REMEDY_KEK)
    return undefined
  }
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/").replace(/=$/, "")), (char) =>
    char.charCodeAt(0),
  )
  if (bytes.length !== KEK_BYTES || new Set(bytes).size < 8) {
    fault("DAYPASS_KEK", REMEDY_KEK)
    return undefined
  }
  return new Secret(bytes)
}

function readText(value: unknown, setting: string, fault: Report): string | undefined {
  if (value === undefined || value === "") return undefined
  if (typeof value === "string" && /^[!-~]{1,256}$/.test(value)) return value
  fault(setting, "must be 1 to 256 printable ASCII characters without spaces")
  return undefined
}
