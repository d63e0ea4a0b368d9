import { type ParseArgsConfig, parseArgs } from "node:util"
import { type CliIo, EXIT } from "./io.ts"

type Options = NonNullable<ParseArgsConfig["options"]>

/** What a command was told: its options and the arguments between them. */
export interface Arguments {
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly positionals: readonly string[]
}

/**
 * Parses a command's arguments; a number is the exit code to end with, after usage was written: 0 when it was asked
 * for, 2 when an option is unknown or lacks its value.
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
    // Behind its first sentence, Node explains how its own parser is used.
    const [what = ""] = error instanceof Error ? error.message.split(". ", 1) : []
    return misused(what || "the arguments cannot be read", usage, io)
  }
}

/** Says what is wrong with the arguments, and how the command is used. */
export function misused(message: string, usage: string, io: CliIo): number {
  io.err(`daypass: ${message}\n`)
  io.err(usage)
  return EXIT.usage
}

/** Says why the command cannot be carried out. */
export function impossible(message: string, io: CliIo): number {
  io.err(`daypass: ${message}`)
  return EXIT.usage
}

/** Why a file or folder cannot be read, without a stack: `ENOENT`, `EACCES`, ... */
export function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error"
}
