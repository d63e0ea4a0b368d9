import { KEY_BINDING_SEPARATOR, MAX_GRANTS_PER_REQUEST } from "../broker/wire/exchange.ts"
import { ActionError } from "./failure.ts"
import { isHttpsOrLoopback } from "./http.ts"
import { nameOfInput } from "./runner.ts"
import { parseUrl } from "./url.ts"

export type Deliver = "environment" | "outputs" | "both" | "files"

export interface Inputs {
  /** The broker's origin, without a trailing slash. */
  readonly broker: string
  readonly grants: readonly string[]
  readonly audience: string
  readonly ttl?: string
  readonly deliver: Deliver
  /** The limit for all network calls of the step. */
  readonly timeoutMs: number
  /** How many jobs of the matrix run at the same time; 1 when unknown. */
  readonly parallelJobs: number
  /** The lease is not revoked when the job ends. */
  readonly keep: boolean
  readonly sweep: Sweep
}

/** Whether the post step looks for values that were left behind, and where besides the usual places. */
export interface Sweep {
  readonly mode: "warn" | "fail" | "off"
  readonly paths: readonly string[]
}

/** As policies name grants. */
const GRANT_NAME = /^[a-z][a-z0-9-]{0,63}$/
const DURATION = /^([1-9][0-9]{0,6})([smh])$/
const LIKE_A_TIME = /^[0-9]{1,4} ?(?:d|days?|h|hrs?|hours?|m|mins?|minutes?|ms|s|secs?|seconds?)?$/i
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }
const DEFAULT_TIMEOUT_MS = 60_000
const MAX_TIMEOUT_MS = 600_000
const MAX_SWEEP_PATHS = 100
const AUDIENCE = /^[\x21-\x7e]{1,256}$/

/**
 * Reads, checks and types every input once. `read` returns an input's trimmed text; empty when the input is absent.
 * @throws {ActionError} `input_invalid`; the message names the input and says what to write
 */
export function readInputs(read: (name: string) => string): Inputs {
  const broker = readBroker(read("broker"))
  const grants = readGrants(read("grants"))
  const audience = readAudience(read("audience"), broker)
  const ttl = read("ttl")
  if (ttl !== "" && !DURATION.test(ttl)) {
    // Any other text can be a secret in the wrong input, so the message does not quote it.
    const came = LIKE_A_TIME.test(ttl) ? `, not ${quote(ttl)}` : ""
    throw invalid("ttl", `must be a whole number with a unit, for example 90s, 15m or 1h${came}`)
  }
  const deliver = readDeliver(read("deliver"))
  const alone = ["shell", "working-directory", "id-token", "azure-cli"].find(
    (name) => read(name) !== "" && read("run") === "",
  )
  if (alone !== undefined) throw invalid(alone, "is for a command; write the input `run`, or remove it")
  const timeoutMs = readTimeout(read("timeout"))
  const parallelJobs = readParallelJobs(read("parallel-jobs"))
  const keep = readKeep(read("keep"), read("run") !== "")
  const sweep = readSweep(read("sweep"), read("sweep-paths"))
  return { broker, grants, audience, deliver, timeoutMs, parallelJobs, keep, sweep, ...(ttl !== "" && { ttl }) }
}

function readBroker(text: string): string {
  if (text === "")
    throw invalid("broker", "is missing; write the broker's origin, for example https://daypass.example.com")
  const url = parseUrl(text)
  if (url === null) throw invalid("broker", "must be a URL, for example https://daypass.example.com")
  if (!isHttpsOrLoopback(url)) {
    throw invalid(
      "broker",
      "must start with https://, because the action sends it a subject token (http:// works for loopback hosts only)",
    )
  }
  // Looked for in the text: the parser drops an empty user, query or fragment, and reads a backslash as a slash.
  if (/[?#@\\]/.test(text) || url.pathname !== "/" || url.hostname.endsWith(".")) {
    throw invalid("broker", `must be an origin without user, path or query: ${url.origin}`)
  }
  return url.origin
}

function readGrants(text: string): readonly string[] {
  const grants = text.split(/[\s,]+/).filter((name) => name !== "")
  if (grants.length === 0) {
    throw invalid("grants", "is missing; write the names of the grants that this job needs, separated by commas")
  }
  if (grants.length > MAX_GRANTS_PER_REQUEST)
    throw invalid("grants", `may name at most ${MAX_GRANTS_PER_REQUEST} grants`)
  const invalidName = grants.find((name) => !GRANT_NAME.test(name))
  if (invalidName !== undefined) throw invalidGrant(text, invalidName)
  const twice = grants.find((name, index) => grants.indexOf(name) !== index)
  if (twice !== undefined) throw invalid("grants", `names ${twice} twice; name each grant once`)
  return grants
}

/** Quotes what came. The name of a grant is no secret, and the most common mistakes are visible only in their own characters. */
function invalidGrant(text: string, name: string): ActionError {
  const meant = text.toLowerCase().match(/[a-z][a-z0-9-]{0,63}/g)
  if (/^[[{"'`]/.test(text) && meant !== null)
    return invalid(
      "grants",
      `is a list with brackets or quotes, ${quote(text)}; write the names only: ${meant.join(", ")}`,
    )
  if (GRANT_NAME.test(name.toLowerCase()))
    return invalid(
      "grants",
      `has the name ${quote(name)} with capitals; grants are named in lower case: ${name.toLowerCase()}`,
    )
  return invalid("grants", `has the name ${quote(name)}; a grant's name has lower-case letters, digits and dashes only`)
}

/** As a code span, which a name or a list reads best in. */
function quote(text: string): string {
  return `\`${(text.length > 60 ? `${text.slice(0, 59)}…` : text).replaceAll("`", "'")}\``
}

function readAudience(text: string, broker: string): string {
  if (text === "") return broker
  if (!AUDIENCE.test(text)) throw invalid("audience", "must have at most 256 printable ASCII characters and no spaces")
  if (text.includes(KEY_BINDING_SEPARATOR)) {
    throw invalid("audience", `must not contain ${KEY_BINDING_SEPARATOR}; the action adds that itself`)
  }
  return text
}

function readDeliver(text: string): Deliver {
  if (text === "") return "environment"
  if (text === "environment" || text === "outputs" || text === "both" || text === "files") return text
  const came = /^(environments?|env|outputs?|both|files?)$/i.test(text) ? `, not ${quote(text)}` : ""
  throw invalid("deliver", `must be environment, outputs, both or files${came}`)
}

function readTimeout(text: string): number {
  if (text === "") return DEFAULT_TIMEOUT_MS
  const [, count, unit = ""] = DURATION.exec(text) ?? []
  if (count === undefined)
    throw invalid("timeout", "must be a whole number with a unit, for example 30s or 5m; the default is 60s")
  const milliseconds = Number(count) * (UNIT_MS[unit] ?? 0)
  if (milliseconds > MAX_TIMEOUT_MS) throw invalid("timeout", "must be at most 10m")
  return milliseconds
}

/** The default is an expression of the runner. A program that runs actions without evaluating it does not know the number. */
function readParallelJobs(text: string): number {
  if (text === "" || text.startsWith("${{")) return 1
  if (!/^[0-9]{1,9}$/.test(text)) throw invalid("parallel-jobs", "must be a whole number; leave it out")
  return Math.max(1, Number(text))
}

function readKeep(text: string, withRun: boolean): boolean {
  if (text !== "" && text !== "true" && text !== "false") throw invalid("keep", "must be true or false")
  if (text === "true" && withRun)
    throw invalid("keep", "cannot be true with `run`: the credentials are revoked when the command ends")
  return text === "true"
}

function readSweep(mode: string, paths: string): Sweep {
  if (mode !== "" && mode !== "warn" && mode !== "fail" && mode !== "off")
    throw invalid("sweep", "must be warn, fail or off; the default is warn")
  const lines = paths
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
  if (lines.length > MAX_SWEEP_PATHS) throw invalid("sweep-paths", `may have at most ${MAX_SWEEP_PATHS} lines`)
  if (lines.some((line) => line.includes("\0"))) throw invalid("sweep-paths", "must not contain a NUL character")
  if (lines.length > 0 && mode === "off")
    throw invalid("sweep-paths", "is for a sweep; remove it, or the input `sweep`, which is off")
  return { mode: mode === "" ? "warn" : mode, paths: lines }
}

export function invalid(input: string, fault: string): ActionError {
  return new ActionError("input_invalid", `${nameOfInput(input)} ${fault}.`)
}
