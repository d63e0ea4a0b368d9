import { invalid } from "../inputs.ts"

/** How a script is started: by which program, and from which kind of file. */
export interface Shell {
  readonly program: string
  /** The program's arguments for a script at this path. */
  readonly args: (path: string) => readonly string[]
  /** The arguments are one text in the program's own syntax: cmd does not parse arguments as other programs do. */
  readonly verbatim: boolean
  /** Of the script's file, with the dot; empty for a shell that the runner does not know. */
  readonly extension: string
  /** The text of the script's file. */
  readonly fileText: (script: string) => string
}

/** The arguments and the extension for a shell that is only named, as in the runner's ScriptHandlerHelpers.cs. */
const KNOWN: ReadonlyMap<string, { readonly args: string; readonly extension: string }> = new Map([
  ["bash", { args: "--noprofile --norc -e -o pipefail {0}", extension: ".sh" }],
  ["sh", { args: "-e {0}", extension: ".sh" }],
  ["python", { args: "{0}", extension: ".py" }],
  ["pwsh", { args: `-command ". '{0}'"`, extension: ".ps1" }],
  ["powershell", { args: `-command ". '{0}'"`, extension: ".ps1" }],
  ["cmd", { args: `/D /E:ON /V:OFF /S /C "CALL "{0}""`, extension: ".cmd" }],
])

/**
 * The shell of a step, exactly as the runner chooses it (ScriptHandler.cs). Without a name on Linux and macOS, that is bash
 * with the arguments of sh, so without `pipefail`.
 *
 * @param option as under `shell:`: empty, a known name, or a command line with `{0}` for the script's path
 * @param find the path of a program in PATH; null when it is not there
 * @throws {ActionError} `input_invalid`
 */
export function chooseShell(option: string, isWindows: boolean, find: (program: string) => string | null): Shell {
  const [named = "", ...rest] = (option === "" ? defaultShell(isWindows, find) : option).split(" ")
  const name = named.toLowerCase()
  const format = rest.join(" ").trimStart() || (KNOWN.get(option === "" && !isWindows ? "sh" : name)?.args ?? "")
  if (!format.includes("{0}")) {
    throw invalid(
      "shell",
      "must be bash, sh, pwsh, powershell, cmd, python, or a command with {0} for the script's path",
    )
  }
  const program = find(named)
  if (program === null) throw invalid("shell", "names a program that is not in this job's PATH")
  const verbatim = name === "cmd"
  return {
    program,
    verbatim,
    args: (path) => (verbatim ? [format.replaceAll("{0}", path)] : splitArguments(format, path)),
    extension: KNOWN.get(name)?.extension ?? "",
    fileText: (script) => withLineEnds(fixedUp(name, script, isWindows), isWindows),
  }
}

function defaultShell(isWindows: boolean, find: (program: string) => string | null): string {
  const [first, second] = isWindows ? ["pwsh", "powershell"] : ["bash", "sh"]
  return find(first ?? "") === null ? (second ?? "") : (first ?? "")
}

/** What the runner adds to scripts of these shells: an error ends the script, and its exit code is the last program's. */
function fixedUp(name: string, script: string, isWindows: boolean): string {
  const end = isWindows ? "\r\n" : "\n"
  if (name === "cmd") return `@echo off${end}${script}`
  if (name !== "pwsh" && name !== "powershell") return script
  const last = "if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }"
  return `$ErrorActionPreference = 'stop'${end}${script}${end}${last}`
}

function withLineEnds(text: string, isWindows: boolean): string {
  return isWindows ? text.replace(/\r?\n/g, "\r\n") : text
}

/** Splits at spaces outside of double quotes; `\"` is a quote. The path stays one argument, whatever is in it. */
function splitArguments(format: string, path: string): string[] {
  const parts = format.match(/(?:\\"|"(?:\\"|[^"])*"|[^\s"])+/g) ?? []
  return parts.map((part) => part.replace(/\\"|"/g, (quote) => (quote === '"' ? "" : '"')).replaceAll("{0}", path))
}
