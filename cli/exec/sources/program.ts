import { spawn } from "node:child_process"
import { findProgram } from "../../../action/run/place.ts"
import type { Environment } from "./source.ts"
import { noToken } from "./token-text.ts"

/** Above any token, with its line end. */
const MAX_OUTPUT_BYTES = 64 * 1024

/** The path of a program of the CI; null when it is not in PATH. */
export const programOfCi = (name: string, environment: Environment): string | null =>
  findProgram(name, environment, process.platform === "win32")

/** A call of a CI's own program. */
export interface ProgramCall {
  readonly program: string
  /** Other users of the machine can read them, so none is a secret. */
  readonly args: readonly string[]
  readonly environment: Environment
  readonly timeoutMs: number
  /** For its standard input. */
  readonly input?: string
  /** Whether its messages go to this process's standard error. */
  readonly isQuiet?: boolean
}

/**
 * What the program printed.
 * @param change what to do when it fails
 * @throws {ActionError} `id_token_unavailable`. The message has the exit code; the program's own words are on standard error
 */
export async function outputOf(call: ProgramCall, name: string, change: string): Promise<string> {
  const ended = await runProgram(call)
  if (ended.fault === null) return ended.stdout
  throw noToken(`The program ${name} gave no ID token: it ${ended.fault}.`, change)
}

/** Runs the program. Never rejects. `fault`: how it failed, as a clause; null when it did not. */
export function runProgram(call: ProgramCall): Promise<{ readonly stdout: string; readonly fault: string | null }> {
  return new Promise((resolve) => {
    let stdout = ""
    const child = spawn(call.program, call.args, {
      env: call.environment as NodeJS.ProcessEnv,
      stdio: ["pipe", "pipe", call.isQuiet ? "ignore" : "inherit"],
      windowsHide: true,
    })
    const end = (fault: string | null) => {
      clearTimeout(timer)
      resolve({ stdout, fault })
    }
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      end("did not answer in time")
    }, call.timeoutMs)
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      if (stdout.length <= MAX_OUTPUT_BYTES) return
      child.kill("SIGKILL")
      end("printed more than any token has")
    })
    // A program that reads no input closes the pipe, which is no failure.
    child.stdin.on("error", () => {}).end(call.input ?? "")
    child.on("error", () => end("cannot be started"))
    child.on("close", (code, signal) =>
      end(code === 0 ? null : signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    )
  })
}
