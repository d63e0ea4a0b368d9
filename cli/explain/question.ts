import { parseDuration } from "../../broker/core/duration.ts"
import { MAX_GRANTS_PER_REQUEST } from "../../broker/wire/exchange.ts"
import { misused, readArguments } from "../arguments.ts"
import { FORMAT_OPTIONS, type Format, formatOf } from "../format.ts"
import type { CliIo } from "../io.ts"
import { brokerUrl } from "./broker.ts"

/** What was asked, once everything about the arguments is known to be right. */
export interface Question {
  readonly format: Format
  /** A file of claims; undefined: a token on standard input. */
  readonly file: string | undefined
  readonly folder: string | undefined
  readonly broker: URL | undefined
  /** Empty when nothing is to be decided. */
  readonly grants: readonly string[]
  /** As it was written, and in seconds. */
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

/** Why a token that stands among the arguments is not used, whatever it is. */
const TOKEN_IN_ARGUMENTS =
  "a token is read from standard input only, as --token -: on a command line it ends up in the shell's history and in the list of processes. Treat that one as known to others until it expires"

/** Reads the arguments; a number is the exit code to end with, after it was said what is wrong with them. */
export function readQuestion(args: readonly string[], usage: string, io: CliIo): Question | number {
  const read = readArguments(args, usage, OPTIONS, io)
  if (typeof read === "number") return read
  const no = (message: string) => misused(message, usage, io)
  const { policies: folder, claims: file, token, broker, grants: list, ttl } = textsOf(read.options)
  if (token !== undefined && token !== "-") return no(TOKEN_IN_ARGUMENTS)
  // What stands there is not repeated: it may be a token.
  if (read.positionals.length > 0) return no("explain takes options only")
  const format = formatOf(read.options, usage, io)
  if (typeof format === "number") return format
  if ((file === undefined) === (token === undefined)) return no("one of --claims FILE and --token - is needed")
  if (broker !== undefined && token === undefined)
    return no("--broker needs --token -: claims alone prove nothing to it")
  const url = broker === undefined ? undefined : brokerUrl(broker)
  if (url === null) {
    return no("--broker is an https URL without a path; http is for this machine only, because the token goes there")
  }
  const decides = folder !== undefined || url !== undefined
  if (!decides && (token === undefined || list !== undefined || ttl !== undefined)) {
    return no(`--policies${token === undefined ? " is" : " or --broker are"} needed to decide with`)
  }
  const grants = decides ? (list ?? "").split(",").map((name) => name.trim()) : []
  if (grants.includes("") || new Set(grants).size < grants.length || grants.length > MAX_GRANTS_PER_REQUEST) {
    return no(`--grants takes 1 to ${MAX_GRANTS_PER_REQUEST} different names with commas between them`)
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
