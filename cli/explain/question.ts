import { parseDuration } from "../../broker/core/duration.ts"
import { MAX_GRANTS_PER_REQUEST } from "../../broker/wire/exchange.ts"
import { misused, readArguments } from "../arguments.ts"
import { FORMAT_OPTIONS, type Format, formatOf } from "../format.ts"
import type { CliIo } from "../io.ts"
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

const OPTIONS = {
  ...FORMAT_OPTIONS,
  policies: { type: "string" },
  claims: { type: "string" },
  token: { type: "string" },
  broker: { type: "string" },
  grants: { type: "string" },
  ttl: { type: "string" },
} as const

/** Why a token among the arguments is refused, even a valid one. */
const TOKEN_IN_ARGUMENTS =
  "pass a token on standard input only, with --token -: on the command line, it ends up in the shell's history and in the list of processes. Treat this token as leaked until it expires"

/** Reads the arguments. Returns an exit code after printing what is wrong with them. */
export function readQuestion(args: readonly string[], usage: string, io: CliIo): Question | number {
  const read = readArguments(args, usage, OPTIONS, io)
  if (typeof read === "number") return read
  const no = (message: string) => misused(message, usage, io)
  const { policies: folder, claims: file, token, broker, grants: list, ttl } = textsOf(read.options)
  if (token !== undefined && token !== "-") return no(TOKEN_IN_ARGUMENTS)
  // The argument is not repeated in the message: it may be a token.
  if (read.positionals.length > 0) return no("explain takes options only")
  const format = formatOf(read.options, usage, io)
  if (typeof format === "number") return format
  if ((file === undefined) === (token === undefined)) return no("give either --claims FILE or --token -")
  if (broker !== undefined && token === undefined)
    return no("--broker needs --token -: a broker does not accept claims without a token")
  const url = broker === undefined ? undefined : brokerUrl(broker)
  if (url === null) {
    return no(
      "--broker must be an https URL without a path. http is allowed for this machine only: the token is sent there",
    )
  }
  const decides = folder !== undefined || url !== undefined
  if (!decides && (token === undefined || list !== undefined || ttl !== undefined)) {
    return no(`a decision needs --policies DIR${token === undefined ? "" : " or --broker URL"}`)
  }
  const grants = decides ? (list ?? "").split(",").map((name) => name.trim()) : []
  if (grants.includes("") || new Set(grants).size < grants.length || grants.length > MAX_GRANTS_PER_REQUEST) {
    return no(`--grants takes 1 to ${MAX_GRANTS_PER_REQUEST} different names, separated by commas`)
  }
  const lifetime = ttl === undefined ? null : parseDuration(ttl)
  if (lifetime?.ok === false) return no(`--ttl: ${lifetime.fault}`)
  const asked = ttl === undefined || lifetime === null ? undefined : { text: ttl, seconds: lifetime.value }
  return { format, file, folder, broker: url, grants, ttl: asked }
}

function textsOf(options: Readonly<Record<string, string | boolean | undefined>>): Record<string, string | undefined> {
  const texts = Object.entries(options).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []))
  return Object.fromEntries(texts)
}
