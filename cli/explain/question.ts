import { parseDuration } from "../../broker/core/duration.ts"
import { MAX_GRANTS_PER_REQUEST } from "../../broker/wire/exchange.ts"
import { misused } from "../arguments.ts"
import { POLICY_FOLDER } from "../commands/shared.ts"
import { type Format, formatOf } from "../format.ts"
import type { Arguments } from "../io.ts"
import { brokerUrl } from "./broker.ts"

/** The question, read from valid arguments. */
export interface Question {
  readonly format: Format
  /** A file of claims. Undefined when a token comes from standard input. */
  readonly file: string | undefined
  readonly folder: string | undefined
  readonly broker: URL | undefined
  /** Empty when no decision is asked for. */
  readonly grants: readonly string[]
  /** As written, and in seconds. */
  readonly ttl: { readonly text: string; readonly seconds: number } | undefined
}

/** Why a token among the arguments is refused, even a valid one. */
const TOKEN_IN_ARGUMENTS =
  "pass a token on standard input only, with --token -: on the command line, it ends up in the shell's history and in the list of processes. Treat this token as leaked until it expires"

/** Reads the arguments. @throws {Misuse} It never quotes an argument, which may be a token. */
export function readQuestion(given: Arguments): Question {
  const { policies, claims: file, token, broker, grants: list, ttl } = textsOf(given.options)
  if (token !== undefined && token !== "-") return misused(TOKEN_IN_ARGUMENTS)
  const format = formatOf(given.options)
  if ((file === undefined) === (token === undefined)) return misused("give either --claims FILE or --token -")
  if (broker !== undefined && token === undefined)
    return misused("--broker needs --token -: a broker does not accept claims without a token")
  const url = broker === undefined ? undefined : brokerUrl(broker)
  if (url === null) {
    return misused(
      "--broker must be an https URL without a path. http is allowed for this machine only: the token is sent there",
    )
  }
  const asks = file !== undefined || list !== undefined || ttl !== undefined
  const folder = policies ?? (asks && url === undefined ? POLICY_FOLDER : undefined)
  const decides = folder !== undefined || url !== undefined
  const grants = decides ? (list ?? "").split(",").map((name) => name.trim()) : []
  if (grants.includes("") || new Set(grants).size < grants.length || grants.length > MAX_GRANTS_PER_REQUEST) {
    return misused(`--grants takes 1 to ${MAX_GRANTS_PER_REQUEST} different names, separated by commas`)
  }
  const lifetime = ttl === undefined ? null : parseDuration(ttl)
  if (lifetime?.ok === false) return misused(`--ttl: ${lifetime.fault}`)
  const asked = ttl === undefined || lifetime === null ? undefined : { text: ttl, seconds: lifetime.value }
  return { format, file, folder, broker: url, grants, ttl: asked }
}

function textsOf(options: Readonly<Record<string, string | boolean | undefined>>): Record<string, string | undefined> {
  const texts = Object.entries(options).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []))
  return Object.fromEntries(texts)
}
