import { KEY_BINDING_SEPARATOR, MAX_GRANTS_PER_REQUEST } from "../broker/wire/exchange.ts"
import { ActionError } from "./failure.ts"
import { isHttpsOrLoopback } from "./http.ts"

export type Deliver = "environment" | "outputs" | "both"

export interface Inputs {
  /** The broker's origin, without a trailing slash. */
  readonly broker: string
  readonly grants: readonly string[]
  readonly audience: string
  readonly ttl?: string
  readonly deliver: Deliver
}

const GRANT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const TTL = /^[1-9][0-9]{0,6}[smh]$/
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
  if (ttl !== "" && !TTL.test(ttl))
    throw invalid("ttl", "must be a whole number with a unit, for example 90s, 15m or 1h")
  const deliver = readDeliver(read("deliver"))
  const alone = ["shell", "working-directory", "id-token"].find((name) => read(name) !== "" && read("run") === "")
  if (alone !== undefined) throw invalid(alone, "is for a command; write the input `run`, or remove it")
  return { broker, grants, audience, deliver, ...(ttl !== "" && { ttl }) }
}

function readBroker(text: string): string {
  if (text === "")
    throw invalid("broker", "is missing; write the broker's origin, for example https://daypass.example.com")
  const url = URL.parse(text)
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
  const invalidName = grants.findIndex((name) => !GRANT_NAME.test(name))
  if (invalidName !== -1) {
    throw invalid("grants", `has an invalid name, number ${invalidName + 1}; use letters, digits, dots, _ and - only`)
  }
  const twice = grants.find((name, index) => grants.indexOf(name) !== index)
  if (twice !== undefined) throw invalid("grants", `names ${twice} twice; name each grant once`)
  return grants
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
  if (text === "environment" || text === "outputs" || text === "both") return text
  throw invalid("deliver", "must be environment, outputs or both")
}

function invalid(input: string, fault: string): ActionError {
  return new ActionError("input_invalid", `The input \`${input}\` ${fault}.`)
}
