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

  if (url === undefined || faults.length > 0) return fail(faults)
  return ok({
    url,
    audience: audience ?? new URL(url).origin,
    deployment: deployment ?? url,
    ...(kek ? { kek } : {}),
  })
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
  const url = new URL(value)
  // By their marks too: the parser keeps an empty query or fragment in `href`, and calls both "".
  if (/[?#]/.test(value) || url.username !== "" || url.password !== "") {
    fault("DAYPASS_URL", "must have no query, no fragment and no user")
    return undefined
  }
  // One spelling, since `iss` is compared as text: no trailing slash.
  return url.href.replace(/\/+$/, "")
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
