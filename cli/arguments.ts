import { type ParseArgsConfig, parseArgs } from "node:util"
import { inert } from "./inert.ts"
import { type CliIo, EXIT } from "./io.ts"

type Options = NonNullable<ParseArgsConfig["options"]>

/** The parsed options and positional arguments of a command. */
export interface Arguments {
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly positionals: readonly string[]
}

/**
 * Parses a command's arguments. Returns an exit code instead after printing the usage: 0 for `--help`, 2 for an unknown
 * option or a missing value.
 */
export function readArguments(args: readonly string[], usage: string, options: Options, io: CliIo): Arguments | number {
  try {
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
      strict: true,
    })
    const values = parsed.values as Record<string, string | boolean | undefined>
    if (values["help"] !== true) return { options: values, positionals: parsed.positionals }
    io.out(usage)
    return EXIT.ok
  } catch (error) {
    // Only Node's first sentence: the rest explains Node's own parser.
    const [what = ""] = error instanceof Error ? error.message.split(". ", 1) : []
    return misused(what || "the arguments cannot be read", usage, io)
  }
}

/** Prints what is wrong with the arguments, and the usage. */
export function misused(message: string, usage: string, io: CliIo): number {
  io.err(`${inert(`daypass: ${message}`)}\n`)
  io.err(usage)
  return EXIT.usage
}

/** Prints why the command cannot run. */
export function impossible(message: string, io: CliIo): number {
  io.err(inert(`daypass: ${message}`))
  return EXIT.usage
}

/** Why a file or folder cannot be read, without a stack: `ENOENT`, `EACCES`, ... */
export function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error"
}
