import { parseDuration } from "../core/duration.ts"
import { fail, ok, type Result } from "../core/result.ts"
import { isSealed } from "../core/sealed-form.ts"
import { Secret } from "../core/secret.ts"
import { isLoopbackHost } from "../core/url.ts"
import { KEY_BINDING_SEPARATOR } from "../wire/exchange.ts"
import { type GitHubAppConfig, type GitLabConfig, readGitHubApp, readGitLab, readHookSecrets } from "./hosts.ts"
import { readKek, readPreviousKek, readRotateEvery } from "./keys.ts"
import { plainUrl, type Report, readText } from "./settings.ts"

/** The settings of a deployment. Secrets are already wrapped. */
export interface Config {
  /** The broker's own URL, without a trailing slash: `iss` of its identity tokens. */
  readonly url: string
  /** The audience that subject tokens must have; by default the URL's origin. */
  readonly audience: string
  /** The deployment's name, by default the URL. A value sealed for one deployment cannot be opened in another. */
  readonly deployment: string
  /** 32 bytes; absent when not set. */
  readonly kek?: Secret<Uint8Array>
  /** 32 bytes: the key before `kek`, while values that were sealed under it are left; absent when not set. */
  readonly previousKek?: Secret<Uint8Array>
  /** How long a signing key signs before the broker replaces it by itself, in seconds; absent: it never does. */
  readonly rotateEverySeconds?: number
  /** The GitHub App with which the broker reads repositories' policies and environments; absent when not set. */
  readonly gitHubApp?: GitHubAppConfig
  /** The secrets of GitHub's webhook, which tells of leaked values; absent when not set. */
  readonly gitHubHookSecrets?: readonly Secret<string>[]
  /** How the broker reads the environments of GitLab's projects; absent when not set. */
  readonly gitLab?: GitLabConfig
  /** At the edge: policies come only from Workers KV, never from the bundle. */
  readonly onlyPublishedPolicies: boolean
  /** At the edge: the jurisdiction of the deployment's objects, as Cloudflare names it; empty for none. */
  readonly jurisdiction: string
  /** On Node: for how long a set of policies is used that is older than the folder, in seconds. */
  readonly maxStaleSeconds: number
  /** Ed25519 public keys, base64 of SPKI: one of them must have signed published policies. Empty: no signature is needed. */
  readonly policyPublishers: readonly string[]
  /** The settings that `daypass seal` has sealed, by name. The broker cannot seal them anew: they are not in its storage. */
  readonly sealedSettings: readonly SealedSetting[]
  /** A secret that a connection names; undefined when it is not set. Never one of the broker's own settings. */
  connectionSecret(name: string): Secret<string> | undefined
}

/** A setting as `daypass seal` has printed it. Nothing here is secret. */
export interface SealedSetting {
  readonly name: string
  readonly sealed: string
}

/** A wrong setting, and what to write instead. Never contains the setting's value. */
export interface ConfigFault {
  readonly setting: string
  readonly message: string
}

/**
 * Reads the settings of a deployment from a plain record. Reports all faults together.
 *
 * | setting | is |
 * |---|---|
 * | `DAYPASS_URL` | required: the public https URL; http only for loopback hosts |
 * | `DAYPASS_KEK` | 32 random bytes in base64: `openssl rand -base64 32` |
 * | `DAYPASS_KEK_PREVIOUS` | optional, after `DAYPASS_KEK` was changed: the key before it |
 * | `DAYPASS_ROTATE_EVERY` | optional: how long a signing key signs, from `168h` to `8760h`; by default until it is rotated by hand |
 * | `DAYPASS_AUDIENCE` | optional |
 * | `DAYPASS_DEPLOYMENT` | optional |
 * | `DAYPASS_POLICIES` | at the edge, `kv`: policies come only from the binding `POLICIES` |
 * | `DAYPASS_JURISDICTION` | at the edge: `eu`, `us`, `fedramp` or `fedramp-high`; fixed at the first deployment |
 * | `DAYPASS_MAX_STALE` | on Node, how long an older set of policies is used; by default `15m`, from `1m` to `24h` |
 * | `DAYPASS_POLICY_PUBLISHER` | at the edge: public keys of those who may publish policies, as `openssl pkey -pubout` prints them |
 * | `DAYPASS_GITHUB_APP_ID` | the id of the broker's GitHub App; only together with `DAYPASS_GITHUB_APP_KEY` |
 * | `DAYPASS_GITHUB_APP_KEY` | its private key: PEM as downloaded from GitHub, or sealed by `daypass seal` |
 * | `DAYPASS_GITHUB_API_URL` | by default `https://api.github.com` |
 * | `DAYPASS_GITHUB_ISSUER` | the issuer whose repositories the App reads; by default `https://token.actions.githubusercontent.com` |
 * | `DAYPASS_GITHUB_HOOK_SECRET` | the secret of GitHub's webhook for leaked values; two with a space between them while it is replaced |
 * | `DAYPASS_GITLAB_TOKEN` | an access token that reads the environments of GitLab's projects, or sealed by `daypass seal` |
 * | `DAYPASS_GITLAB_ISSUER` | the issuer of these projects; by default `https://gitlab.com` |
 * | `DAYPASS_GITLAB_API_URL` | by default `/api/v4` below the issuer |
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Result<Config, readonly ConfigFault[]> {
  const faults: ConfigFault[] = []
  const fault = (setting: string, message: string) => void faults.push({ setting, message })

  const url = readUrl(env["DAYPASS_URL"], fault)
  const kek = readKek(env, "DAYPASS_KEK", fault)
  const previousKek = readPreviousKek(env, kek, fault)
  const rotateEverySeconds = readRotateEvery(env["DAYPASS_ROTATE_EVERY"], fault)
  const audience = readText(env["DAYPASS_AUDIENCE"], "DAYPASS_AUDIENCE", fault)
  // A plain token for such an audience would look like a token that is bound to a key.
  if (audience?.includes(KEY_BINDING_SEPARATOR)) {
    fault("DAYPASS_AUDIENCE", `must not contain ${KEY_BINDING_SEPARATOR}, which binds a token to a key`)
  }
  const deployment = readText(env["DAYPASS_DEPLOYMENT"], "DAYPASS_DEPLOYMENT", fault)
  const gitHubApp = readGitHubApp(env, fault)
  const gitHubHookSecrets = readHookSecrets(env, gitHubApp, fault)
  const gitLab = readGitLab(env, fault)
  if (gitHubApp && gitHubApp.issuerUrl === gitLab?.issuerUrl) {
    fault("DAYPASS_GITLAB_ISSUER", "must differ from DAYPASS_GITHUB_ISSUER")
  }
  const policies = env["DAYPASS_POLICIES"] ?? ""
  if (policies !== "" && policies !== "kv") fault("DAYPASS_POLICIES", 'must be "kv" or left out')
  const jurisdiction = readJurisdiction(env["DAYPASS_JURISDICTION"], fault)
  const maxStaleSeconds = readMaxStale(env["DAYPASS_MAX_STALE"], fault)

  const policyPublishers = readPublishers(env["DAYPASS_POLICY_PUBLISHER"], fault)

  if (url === undefined || faults.length > 0) return fail(faults)
  return ok({
    url,
    audience: audience ?? new URL(url).origin,
    deployment: deployment ?? url,
    ...(kek ? { kek } : {}),
    ...(previousKek ? { previousKek } : {}),
    ...(rotateEverySeconds === undefined ? {} : { rotateEverySeconds }),
    ...(gitHubApp ? { gitHubApp } : {}),
    ...(gitHubHookSecrets ? { gitHubHookSecrets } : {}),
    ...(gitLab ? { gitLab } : {}),
    onlyPublishedPolicies: policies === "kv",
    jurisdiction,
    maxStaleSeconds,
    policyPublishers,
    sealedSettings: readSealedSettings(env),
    connectionSecret: (name) => readConnectionSecret(env, name),
  })
}

function readSealedSettings(env: Readonly<Record<string, unknown>>): readonly SealedSetting[] {
  return Object.entries(env).flatMap(([name, value]) =>
    typeof value === "string" && isSealed(value.trim()) ? [{ name, sealed: value.trim() }] : [],
  )
}

function readConnectionSecret(env: Readonly<Record<string, unknown>>, name: string): Secret<string> | undefined {
  if (name.startsWith("DAYPASS_") || name === "PGPASSWORD" || !Object.hasOwn(env, name)) return undefined
  const value = env[name]
  // At the edge, bindings such as databases are in the same record. Only texts are secrets.
  return typeof value === "string" && value.trim() !== "" ? new Secret(value.trim()) : undefined
}

/** Whether the broker's URL is on this machine only, so that a development key is acceptable. */
export const isLocal = (config: Config): boolean => isLoopbackHost(new URL(config.url).hostname)

/** Whether only this machine can connect to a listening address. The broker's URL alone does not prove that. */
export const isLocalAddress = (address: string): boolean => isLoopbackHost(address === "::1" ? "[::1]" : address)

function readUrl(value: unknown, fault: Report): string | undefined {
  if (typeof value !== "string" || value === "") {
    fault("DAYPASS_URL", "set it to the broker's public URL, for example https://daypass.example.com")
    return undefined
  }
  return plainUrl(value, "DAYPASS_URL", fault)
}

/** https://developers.cloudflare.com/durable-objects/reference/data-location/ */
const JURISDICTIONS: readonly unknown[] = ["eu", "us", "fedramp", "fedramp-high"]

function readJurisdiction(value: unknown, fault: Report): string {
  if (value === undefined || value === "") return ""
  if (JURISDICTIONS.includes(value)) return String(value)
  fault("DAYPASS_JURISDICTION", `must be one of ${JURISDICTIONS.join(", ")}, or left out`)
  return ""
}

const PEM_MARK = /-----(?:BEGIN|END) PUBLIC KEY-----/g
/** Base64 of an Ed25519 key's SPKI (RFC 8410): always the same 12 bytes, and the 32 bytes of the key. */
const ED25519_SPKI = /^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/

/** One or several keys, so that a new one can be added before the old one is dropped. */
function readPublishers(value: unknown, fault: Report): readonly string[] {
  if (value === undefined || value === "") return []
  const keys =
    typeof value === "string"
      ? value
          .replace(PEM_MARK, " ")
          .split(/[\s,]+/)
          .filter((key) => key !== "")
      : []
  if (keys.length > 0 && keys.every((key) => ED25519_SPKI.test(key))) return keys
  fault(
    "DAYPASS_POLICY_PUBLISHER",
    "must be Ed25519 public keys, as printed by: openssl pkey -in publisher.pem -pubout",
  )
  return []
}

const MAX_STALE_SECONDS = { usual: 15 * 60, least: 60, most: 24 * 3600 }

/** At least a minute, because a network file system is looked at every ten seconds only. */
function readMaxStale(value: unknown, fault: Report): number {
  const { usual, least, most } = MAX_STALE_SECONDS
  if (value === undefined || value === "") return usual
  const seconds = typeof value === "string" ? parseDuration(value) : null
  if (seconds?.ok && seconds.value >= least && seconds.value <= most) return seconds.value
  fault("DAYPASS_MAX_STALE", "must be a duration from 1m to 24h, for example 15m")
  return usual
}
