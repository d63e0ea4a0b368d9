import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { actionNode } from "../support/runner.ts"

const CLI = fileURLToPath(new URL("../../cli/bin.js", import.meta.url))

/** What a run of the command line wrote, both streams as they came, and how it ended. */
export interface CliRun {
  readonly exitCode: number | null
  readonly output: string
}

/** Where the command line runs. */
export interface CliPlace {
  readonly folder: string
  /** Besides PATH; everything of the caller's when it is left out. */
  readonly env?: Readonly<Record<string, string>>
  /** What stands on its standard input; nothing when it is left out. */
  readonly input?: string
  readonly signal?: AbortSignal
}

/** Runs the command line as a job or a person does. */
export function runCli(args: readonly string[], { folder, env, input = "", signal }: CliPlace): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(actionNode(), [CLI, ...args], {
      cwd: folder,
      stdio: "pipe",
      ...(env === undefined ? {} : { env: { PATH: process.env["PATH"], ...env } }),
      ...(signal === undefined ? {} : { signal }),
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk
      })
    }
    child.stdin.end(input)
    child.once("error", reject)
    child.once("close", (exitCode) => resolve({ exitCode, output }))
  })
}
