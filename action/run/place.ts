import { accessSync, constants, statSync } from "node:fs"
import { delimiter, isAbsolute, join, resolve } from "node:path"
import { invalid } from "../inputs.ts"
import type { RunInputs } from "./inputs.ts"
import type { CommandLine } from "./process.ts"
import { chooseShell } from "./shell.ts"

/** A command that can be started: its shell and its folder are there. */
export interface StartedFrom {
  /** The file that the shell reads; null for a program that is started without a shell. */
  readonly script: { readonly extension: string; readonly text: string } | null
  /** `script`: the path of the file. */
  command(script: string): Omit<CommandLine, "environment">
}

/**
 * Finds the shell and the folder of the command.
 * @throws {ActionError} `input_invalid` when one of them is not there
 */
export function planCommand(
  { script, shell: option, workingDirectory }: RunInputs,
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
): StartedFrom {
  const isWindows = platform === "win32"
  const shell = chooseShell(option, isWindows, (program) => findProgram(program, environment, isWindows))
  const folder = resolve(environment["GITHUB_WORKSPACE"] ?? "", workingDirectory)
  if (!is(folder, "folder")) throw invalid("working-directory", "names a folder that does not exist in the workspace")
  const { program, args, verbatim } = shell
  return {
    script: { extension: shell.extension, text: shell.fileText(script) },
    command: (path) => ({ program, args: args(path), verbatim, folder }),
  }
}

/** The path of a program; null when it is not there. */
export function findProgram(program: string, environment: NodeJS.ProcessEnv, isWindows: boolean): string | null {
  const folders = (environment["PATH"] ?? environment["Path"] ?? "").split(delimiter).filter((folder) => folder !== "")
  const hasFolder = isAbsolute(program) || program.includes("/")
  const paths = hasFolder ? [resolve(program)] : folders.map((folder) => join(folder, program))
  const endings = isWindows ? ["", ...(environment["PATHEXT"] ?? ".COM;.EXE;.BAT;.CMD").split(";")] : [""]
  return paths.flatMap((path) => endings.map((ending) => path + ending)).find((path) => is(path, "program")) ?? null
}

function is(path: string, kind: "folder" | "program"): boolean {
  try {
    const found = statSync(path)
    if (kind === "folder") return found.isDirectory()
    accessSync(path, constants.X_OK)
    return found.isFile()
  } catch {
    return false
  }
}
