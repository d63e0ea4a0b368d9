import { ActionError } from "../../action/failure.ts"
import { invalid } from "../../action/inputs.ts"
import { takeTokensFrom } from "../../action/subject-tokens.ts"
import { LOCAL } from "../../broker/core/families/local.ts"
import { reasonOf } from "../arguments.ts"
import { POLICY_FOLDER } from "../commands/shared.ts"
import type { CliIo } from "../io.ts"
import { useSource } from "./host.ts"
import { type Options, openSource, readTokenOptions } from "./options.ts"

/** Options about a broker elsewhere, and about the tokens that it takes. */
const OF_BROKERS = [
  "broker",
  "audience",
  "timeout",
  "source",
  "token-file",
  "token-variable",
  "pass-id-token",
  "azure-cli",
]

/**
 * The policy folder of `--policies DIR --local`; null when a broker decides.
 * @throws {ActionError} `input_invalid`
 */
function localFolder(options: Options): string | null {
  const { local, policies = POLICY_FOLDER } = options
  if (local !== true) {
    if (options["policies"] !== undefined)
      throw invalid("policies", "is for --local: add that option, or leave this one out")
    return null
  }
  const other = OF_BROKERS.find((name) => options[name] !== undefined)
  if (other !== undefined) throw invalid(other, "cannot be used with --local, which asks no broker")
  if (typeof policies !== "string" || policies === "") throw invalid("policies", "is empty")
  return policies
}

/** The options, with the broker that stands in messages when there is none elsewhere. */
export const withBroker = (options: Options): Options =>
  localFolder(options) === null ? options : { ...options, broker: LOCAL.fixedUrl }

/**
 * Finds who calls. From now on, all calls of this process show it.
 * @returns the names of the variables that do not reach a command
 * @throws {ActionError}
 */
export async function useCaller(options: Options, io: CliIo): Promise<readonly string[]> {
  const folder = localFolder(options)
  if (folder === null) {
    const source = await openSource(readTokenOptions(options), io)
    useSource(source)
    return source.tokens.withheld
  }
  const { openLocal } = await loadLocal()
  const { tokens, withheld } = await openLocal(folder, io)
  takeTokensFrom(tokens)
  return withheld
}

/** Loaded on demand: an older Node has no node:sqlite, and a job has no need of a broker. */
async function loadLocal(): Promise<typeof import("./local/local.ts")> {
  try {
    return await import("./local/local.ts")
  } catch (error) {
    if (reasonOf(error) !== "ERR_UNKNOWN_BUILTIN_MODULE") throw error
    const message = `The option \`--local\` needs Node 22.13 or newer, which has node:sqlite; this is ${process.version}.`
    throw new ActionError("input_invalid", message, { change: "Use a newer Node." })
  }
}
