import { didYouMean } from "../broker/core/policy/faults.ts"
import { complain, Misuse } from "./arguments.ts"
import type { CommandDeclaration } from "./commands/declaration.ts"
import { GROUPS } from "./commands/groups.ts"
import { COMMANDS, SECTIONS } from "./commands/index.ts"
import { groupHelp, overview, usagesOf } from "./help.ts"
import { inert } from "./inert.ts"
import { type CliIo, type Command, EXIT } from "./io.ts"
import { nodeIo } from "./node-io.ts"
import { parseArguments } from "./parser.ts"
import { askOfProcess } from "./terminal-ask.ts"

/** Runs the command line and resolves to the exit code. */
export async function main(
  args: readonly string[],
  version: string,
  io: CliIo = { ...nodeIo(version), ...askOfProcess() },
): Promise<number> {
  const [first = "", second = "", ...rest] = args
  if (first === "help") return main(second === "" ? ["--help"] : [second, ...rest, "--help"], version, io)
  if (isHelp(first)) return say(overview(SECTIONS), io)
  if (first === "--version" || first === "-v") return say(version, io)
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `))
  if (group.length > 0 && isHelp(second)) return say(groupHelp(first, group), io)
  const grouped = group.length > 0
  const command = COMMANDS.find(({ name }) => name === (grouped ? `${first} ${second}` : first))
  if (command !== undefined) return runCommand(command, args.slice(grouped ? 2 : 1), io)
  const [name, help] = grouped ? [`${first} ${second}`, groupHelp(first, group)] : [first, overview(SECTIONS)]
  if (name.trim() === (grouped ? first : "")) io.err(help)
  else tellUnknown(name, grouped ? `daypass ${first} COMMAND` : "daypass COMMAND", io)
  return EXIT.usage
}

/** Runs one command. `work`: a test's own, in place of the loaded one. */
export async function runCommand(
  declaration: CommandDeclaration,
  args: readonly string[],
  io: CliIo,
  work?: Command,
): Promise<number> {
  try {
    const given = parseArguments(declaration, args)
    if ("help" in given) return say(given.help, io)
    // Loaded on demand: a command starts without the code of the others, and some need node:sqlite, which older Nodes lack.
    const run = work ?? (await declaration.load())
    return await run(given, io)
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    const [usage = ""] = usagesOf(declaration)
    complain(error.message, io)
    io.err(`Usage: ${usage}\n"daypass ${declaration.name} --help" says more.`)
    return EXIT.usage
  }
}

const isHelp = (word: string) => word === "--help" || word === "-h"

function say(text: string, io: CliIo): number {
  io.out(text)
  return EXIT.ok
}

function tellUnknown(name: string, usage: string, io: CliIo): void {
  const known = [...COMMANDS.map((command) => command.name), ...Object.keys(GROUPS), "help", "--help", "--version"]
  io.err(
    inert(
      `daypass: there is no ${name.startsWith("-") ? "option" : "command"} ${JSON.stringify(name)}.${didYouMean(name, known)}`,
    ),
  )
  io.err(`Usage: ${usage}\n"daypass --help" lists the commands.`)
}
