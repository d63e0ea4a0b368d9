import { Argument, Command, CommanderError, Option } from "commander"
import { didYouMean } from "../broker/core/policy/faults.ts"
import { Misuse } from "./arguments.ts"
import type { ArgumentDeclaration, CommandDeclaration, OptionDeclaration } from "./commands/declaration.ts"
import { commandHelp, wordsOf } from "./help.ts"
import type { Arguments } from "./io.ts"

/** The arguments as the command takes them, or its help where that was asked for. @throws {Misuse} */
export function parseArguments(
  declaration: CommandDeclaration,
  args: readonly string[],
): Arguments | { readonly help: string } {
  const { options = {}, takes = [] } = declaration
  const dashes = declaration.runs === true ? args.indexOf("--") : -1
  const [own, after] = dashes === -1 ? [args, null] : [args.slice(0, dashes), args.slice(dashes + 1)]
  refuseSwallowed(own, options)
  const parser = parserOf(declaration)
  try {
    parser.parse(own, { from: "user" })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === "commander.helpDisplayed") return { help: commandHelp(declaration, parser) }
    throw new Misuse(whatIsWrong(error, declaration))
  }
  const values = valuesOf(parser, options)
  const presets = takes.flatMap(({ preset }) => preset ?? [])
  return { ...values, positionals: parser.args.length === 0 ? presets : withPresets(parser.args, takes), after }
}

/** A commander of one command. It prints nothing and ends no process: it throws. */
export function parserOf({ name, options = {}, takes = [] }: CommandDeclaration): Command {
  const parser = new Command(`daypass ${name}`)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} })
    .helpOption("-h, --help", "prints this")
    .allowExcessArguments(false)
    .action(() => {})
  for (const argument of takes) parser.addArgument(argumentOf(argument))
  for (const [long, option] of Object.entries(options)) parser.addOption(optionOf(long, option))
  return parser
}

function argumentOf(declaration: ArgumentDeclaration): Argument {
  const { name, optional, preset, repeated } = declaration
  const shown = repeated ? `${name}...` : name
  return new Argument(optional || preset !== undefined ? `[${shown}]` : `<${shown}>`, wordsOf(declaration))
}

function optionOf(long: string, declaration: OptionDeclaration): Option {
  const { value, repeated } = declaration
  const option = new Option(value === undefined ? `--${long}` : `--${long} <${value}>`, wordsOf(declaration))
  return repeated ? option.argParser((text: string, before: readonly string[] = []) => [...before, text]) : option
}

function valuesOf(
  parser: Command,
  options: Readonly<Record<string, OptionDeclaration>>,
): Pick<Arguments, "options" | "repeated"> {
  const single: Record<string, string | boolean> = {}
  const repeated: Record<string, readonly string[]> = {}
  for (const option of parser.options) {
    const name = option.long?.slice(2) ?? ""
    const value: unknown = parser.getOptionValue(option.attributeName())
    if (Array.isArray(value)) repeated[name] = value.map(String)
    // An option such as --no-browser is a switch like any other: set when it is given.
    else if (option.negate) {
      if (value === false) single[name] = true
    } else if (typeof value === "string" || typeof value === "boolean") {
      const choices = options[name]?.choices
      if (typeof value === "string" && choices && !choices.includes(value)) throw noChoice(`--${name}`, value, choices)
      single[name] = value
    }
  }
  return { options: single, repeated }
}

function withPresets(given: readonly string[], takes: readonly ArgumentDeclaration[]): readonly string[] {
  takes.forEach(({ name, choices }, place) => {
    const value = given[place]
    if (value !== undefined && choices && !choices.includes(value)) throw noChoice(name, value, choices)
    if (value === "") throw new Misuse(`${name} is empty`)
  })
  return [...given, ...takes.slice(given.length).flatMap(({ preset }) => preset ?? [])]
}

/** Does not quote what came: it may be a token in the wrong place. */
const noChoice = (name: string, value: string, choices: readonly string[]): Misuse =>
  new Misuse(`${name} must be one of ${choices.join(", ")}.${didYouMean(value, choices)}`)

/** An option right behind an option that needs a value is a forgotten value, never a value: `--policies --local`. */
function refuseSwallowed(args: readonly string[], options: Readonly<Record<string, OptionDeclaration>>): void {
  for (let place = 0; place < args.length; place++) {
    const [, name = ""] = /^--([a-z-]+)$/.exec(args[place] ?? "") ?? []
    if (options[name]?.value === undefined) continue
    place++
    const value = args[place] ?? ""
    if (value.length > 1 && value.startsWith("-")) {
      throw new Misuse(`--${name} needs a value. If it really begins with a dash, write --${name}=VALUE`)
    }
  }
}

/** What is wrong, in one sentence. It never has what stands behind a `=`: that may be a secret. */
function whatIsWrong({ code, message }: CommanderError, { excess, options = {} }: CommandDeclaration): string {
  if (code === "commander.excessArguments" && excess !== undefined) return excess
  const [, flag] = /^error: unknown option '(-[^'=\s]{0,64})/.exec(message) ?? []
  if (flag !== undefined) {
    if (options[flag.slice(2)] !== undefined) return `${flag} takes no value`
    return `there is no option ${flag}.${didYouMean(
      flag,
      Object.keys(options).map((name) => `--${name}`),
    )}`
  }
  return message
    .replace(/^error: /, "")
    .replace(/^option '(--[a-z-]+) <[^>]+>' argument missing$/, "$1 needs a value")
    .replace(/^missing required argument '([^']+)'$/, "$1 is missing")
}
