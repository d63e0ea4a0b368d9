import type { ArgumentDeclaration, CommandDeclaration, OptionDeclaration } from "../commands/declaration.ts"
import { firstWords, groupsOf, type Values, valuesOf } from "./values.ts"

/** A function of zsh's own completion system, with the words of help. */
export function zshScript(commands: readonly CommandDeclaration[]): string {
  const described = (words: Iterable<readonly [string, string]>) =>
    [...words].map(([word, summary]) => `    ${quoted(`${word}:${summary}`)}`).join("\n")
  const groups = [...groupsOf(commands)].map(
    ([group, words]) => `    ${group})
      if ((CURRENT == 3)); then
        commands=(
${described(words.map(({ word, summary }) => [word, summary] as const))}
        )
        _describe command commands
        return
      fi
      command="${group} $words[3]"
      shift words
      ((CURRENT--))
      ;;`,
  )
  return `#compdef daypass
# Completes daypass in zsh. Made by: daypass completion zsh
_daypass() {
  local -a commands
  if ((CURRENT == 2)); then
    commands=(
${described(firstWords(commands))}
    )
    _describe command commands
    return
  fi
  local command="$words[2]"
  case $command in
${groups.join("\n")}
  esac
  shift words
  ((CURRENT--))
  case $command in
${commands.map(caseOf).join("\n")}
  esac
}
if [[ $funcstack[1] == _daypass ]]; then
  _daypass "$@"
else
  compdef _daypass daypass
fi`
}

function caseOf({ name, takes = [], options = {}, runs }: CommandDeclaration): string {
  const specs = [
    ...Object.entries(options).map(([option, declaration]) => optionSpec(option, declaration)),
    "'(-h --help)'{-h,--help}'[prints this]'",
    ...takes.map(argumentSpec),
    ...(runs ? ["'*::command:_normal'"] : []),
  ]
  return `    ${quoted(name)})\n      _arguments -S \\\n        ${specs.join(" \\\n        ")}\n      ;;`
}

const optionSpec = (option: string, { value, words, choices, repeated }: OptionDeclaration): string => {
  const text = `[${words.replace(/[[\]\\]/g, "\\$&")}]`
  const follows = value === undefined ? "" : `:${value.replaceAll(":", "\\:")}:${action(valuesOf(value, choices))}`
  return quoted(`${repeated ? "*" : ""}--${option}${value === undefined ? "" : "="}${text}${follows}`)
}

const argumentSpec = ({ name, choices, repeated, optional, preset }: ArgumentDeclaration): string =>
  quoted(
    `${repeated ? "*" : ""}:${optional || preset !== undefined ? ":" : ""}${name.replaceAll(":", "\\:")}:${action(valuesOf(name, choices))}`,
  )

const action = (values: Values): string =>
  values === null ? " " : values === "folder" ? "_files -/" : values === "file" ? "_files" : `(${values.join(" ")})`

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
