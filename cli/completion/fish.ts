import type { CommandDeclaration } from "../commands/declaration.ts"
import { firstWords, groupsOf, type Values, valuesOf } from "./values.ts"

/** fish's own `complete`, with the words of help. */
export function fishScript(commands: readonly CommandDeclaration[]): string {
  const firsts = [...firstWords(commands)].map(([word, summary]) => line("__daypass_is", "", ["-a", word], summary))
  const seconds = [...groupsOf(commands)].flatMap(([group, words]) =>
    words.map(({ word, summary }) => line("__daypass_is", group, ["-a", word], summary)),
  )
  return `# Completes daypass in fish. Made by: daypass completion fish
function __daypass_is
    set -l typed (commandline -opc)
    test "$typed[2..-1]" = "$argv"
end
function __daypass_in
    set -l typed (commandline -opc)
    string match -q -- "$argv *" "$typed[2..-1] "
end
complete -c daypass -f
${[...firsts, ...seconds, ...commands.flatMap(linesOf)].join("\n")}`
}

function linesOf({ name, takes = [], options = {}, runs }: CommandDeclaration): readonly string[] {
  return [
    ...Object.entries(options).map(([option, { value, words, choices }]) =>
      line(
        "__daypass_in",
        name,
        ["-l", option, ...(value === undefined ? [] : followed(valuesOf(value, choices)))],
        words,
      ),
    ),
    line("__daypass_in", name, ["-s", "h", "-l", "help"], "prints this"),
    ...takes.flatMap((argument) => {
      const values = valuesOf(argument.name, argument.choices)
      return values === null
        ? []
        : [line("__daypass_in", name, values === "folder" ? FOLDERS : followed(values).slice(1), "")]
    }),
    ...(runs ? [line("__daypass_in", name, ["-a", "'(__fish_complete_subcommand)'"], "")] : []),
  ]
}

const FOLDERS = ["-a", "'(__fish_complete_directories)'"]

/** \`-x\`: it takes a value, and no file; \`-r\`: it takes a value. */
const followed = (values: Values): readonly string[] =>
  values === null
    ? ["-x"]
    : values === "folder"
      ? ["-x", ...FOLDERS]
      : values === "file"
        ? ["-r", "-F"]
        : ["-x", "-a", quoted(values.join(" "))]

const line = (test: string, name: string, parts: readonly string[], words: string): string =>
  [
    "complete -c daypass -n",
    quoted(`${test} ${name}`.trim()),
    ...parts,
    ...(words === "" ? [] : ["-d", quoted(words)]),
  ].join(" ")

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
