import { Command } from "commander"
import type { CommandDeclaration, OptionDeclaration, Section } from "./commands/declaration.ts"
import { GROUPS } from "./commands/groups.ts"

/** Wide enough for an option and its words, and narrow enough for a split screen. */
const COLUMNS = 110

const DOCS = "https://github.com/daypass/daypass/blob/main/docs"

const EXIT_CODES = `Exit codes: 0 yes, 1 no (faults, denied, broken chain), 2 the command cannot be carried out, 3 a job gets more
(diff), or a cloud lets in more (trust). exec ends as its command does.`

/** What `daypass NAME --help` prints. `parser` is the command's own, so help lists what is parsed. */
export function commandHelp(declaration: CommandDeclaration, parser: Command): string {
  const { about, exits, examples = [], page } = declaration
  const text = parser
    .description(paragraphsOf(about).join("\n\n"))
    .configureHelp({
      helpWidth: COLUMNS,
      commandUsage: () => usagesOf(declaration).join("\n       "),
      optionTerm: ({ flags, long, short }) =>
        short === undefined ? flags.replace(/<(.+)>/, "$1") : `${long}, ${short}`,
    })
    .helpInformation()
  const codes = Object.entries(exits).map(([code, words]) => `  ${code.padEnd(3)}  ${words}`)
  return [
    text.trimEnd(),
    ["Exit codes:", ...codes].join("\n"),
    ...(examples.length === 0 ? [] : [["Examples:", ...examples.map((line) => `  ${line}`)].join("\n")]),
    ...(page === undefined ? [] : [`More: ${DOCS}/${page}`]),
  ].join("\n\n")
}

/** What `daypass --help` prints. A group of commands is one line. */
export function overview(sections: readonly Section[]): string {
  const program = listOf("COMMAND")
  for (const { title, commands } of sections) {
    for (const name of new Set(commands.map((command) => command.name.split(" ")[0] ?? ""))) {
      const summary = GROUPS[name] ?? commands.find((command) => command.name === name)?.summary ?? ""
      const shown = GROUPS[name] === undefined ? name : `${name} ...`
      program.addCommand(new Command(shown).summary(summary).helpGroup(`${title}:`))
    }
  }
  return [
    program.helpInformation().trimEnd(),
    `"daypass help COMMAND" or "daypass COMMAND --help" says more about a command, and --version prints the version.`,
    EXIT_CODES,
  ].join("\n\n")
}

/** What `daypass GROUP --help` prints. */
export function groupHelp(group: string, commands: readonly CommandDeclaration[]): string {
  const program = listOf(`${group} COMMAND`)
  for (const { name, summary } of commands) program.addCommand(new Command(name).summary(summary))
  return `${program.helpInformation().trimEnd()}\n\n"daypass help ${group} COMMAND" says more about a command.`
}

const listOf = (usage: string): Command =>
  new Command("daypass")
    .helpOption(false)
    .helpCommand(false)
    .configureHelp({
      helpWidth: COLUMNS,
      commandUsage: () => `daypass ${usage}`,
      subcommandTerm: (command) => command.name(),
    })

/** `daypass check [DIR] [options]`: every form in which a command can be written. */
export function usagesOf({ name, takes = [], options, forms }: CommandDeclaration): readonly string[] {
  const written = takes.map(({ name: argument, optional, preset, repeated }) => {
    const shown = repeated ? `${argument}...` : argument
    return optional || preset !== undefined ? `[${shown}]` : shown
  })
  const rule = [...written, ...(options === undefined ? [] : ["[options]"])].join(" ")
  return (forms ?? [rule]).map((form) => `daypass ${name} ${form}`.trim())
}

/** An option's words, with its values and its preset. */
export function wordsOf({ words, choices, preset, repeated }: Omit<OptionDeclaration, "value">): string {
  return [
    words,
    ...(choices === undefined ? [] : [`one of ${choices.join(", ")}`]),
    ...(repeated ? ["can be given several times"] : []),
    ...(preset === undefined ? [] : [`default: ${preset}`]),
  ]
    .join(". ")
    .replace(/\. (one|can|default)/g, (_, word: string) => `. ${word.charAt(0).toUpperCase()}${word.slice(1)}`)
}

export const paragraphsOf = (about: string): readonly string[] =>
  about.split("\n\n").map((paragraph) => paragraph.replaceAll("\n", " "))
