import type { CommandDeclaration } from "../commands/declaration.ts"
import { firstWords, groupsOf, type Values, valuesOf } from "./values.ts"

/** A function for bash 3.2 and newer: macOS still has that one. */
export function bashScript(commands: readonly CommandDeclaration[]): string {
  const groups = groupsOf(commands)
  const groupCases = [...groups].map(
    ([group, words]) => `      ${group}) words="${words.map(({ word }) => word).join(" ")}" ;;`,
  )
  return `# Completes daypass in bash. Made by: daypass completion bash
_daypass() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" command="\${COMP_WORDS[1]}"
  local place=0 words="" kind="" at
  COMPREPLY=()
  # bash splits --format=te at the equals sign.
  [[ $word == "=" ]] && word=""
  [[ $before == "=" ]] && before="\${COMP_WORDS[COMP_CWORD - 2]}"
  if ((COMP_CWORD == 1)); then
    words="${[...firstWords(commands).keys()].join(" ")}"
  else
    at=2
    case "$command" in
${groupCases.join("\n")}
    esac
    if [[ -n $words ]] && ((COMP_CWORD > 2)); then
      command="$command \${COMP_WORDS[2]}"
      words=""
      at=3
    fi
    for (( ; at < COMP_CWORD; at++)); do
      [[ \${COMP_WORDS[at]} == "--" ]] && kind=program
      [[ \${COMP_WORDS[at]} == -* || \${COMP_WORDS[at - 1]} == --* ]] || ((place++))
    done
    if [[ -z $words && -z $kind ]]; then
      case "$command $before" in
${commands.flatMap(optionCases).join("\n")}
        *)
          case "$word" in
            -*)
              case "$command" in
${commands.map(optionWords).join("\n")}
              esac
              ;;
            *)
              case "$command $place" in
${commands.flatMap(argumentCases).join("\n")}
              esac
              ;;
          esac
          ;;
      esac
    fi
  fi
  case "$kind" in
    folder) compopt -o filenames 2>/dev/null; IFS=$'\\n' read -r -d '' -a COMPREPLY < <(compgen -d -- "$word") ;;
    file) compopt -o filenames 2>/dev/null; IFS=$'\\n' read -r -d '' -a COMPREPLY < <(compgen -f -- "$word") ;;
    program) compopt -o filenames 2>/dev/null; IFS=$'\\n' read -r -d '' -a COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word") ;;
    none) ;;
    *) IFS=$' \\n' read -r -d '' -a COMPREPLY < <(compgen -W "$words" -- "$word") ;;
  esac
}
complete -F _daypass daypass`
}

const said = (values: Values): string =>
  values === null ? "kind=none" : typeof values === "string" ? `kind=${values}` : `words="${values.join(" ")}"`

/** What stands behind an option that takes a value. */
const optionCases = ({ name, options = {} }: CommandDeclaration): readonly string[] =>
  Object.entries(options).flatMap(([option, { value, choices }]) =>
    value === undefined ? [] : [`        "${name} --${option}") ${said(valuesOf(value, choices))} ;;`],
  )

const optionWords = ({ name, options = {} }: CommandDeclaration): string =>
  `                "${name}") words="${[...Object.keys(options), "help"].map((option) => `--${option}`).join(" ")}" ;;`

const argumentCases = ({ name, takes = [] }: CommandDeclaration): readonly string[] =>
  takes.map((argument, place) => {
    const at = argument.repeated ? "*" : String(place)
    return `                "${name} "${at}) ${said(valuesOf(argument.name, argument.choices))} ;;`
  })
