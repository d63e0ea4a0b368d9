import { resolve } from "node:path"
import { findProgram, type StartedFrom } from "../../action/run/place.ts"
import type { CliIo } from "../io.ts"

/** After SIGTERM. Agents leave a job about ten seconds, and the revocation needs some of them. */
const KILL_AFTER_TERM_MS = 7_000
/** GitHub's runner leaves 2.5 seconds. */
const KILL_AFTER_TERM_ON_GITHUB_MS = 1_200

/** Why a command cannot run, with the exit code that shells have for it. */
export interface NoCommand {
  readonly exitCode: 127
  readonly message: string
}

/**
 * A program and its arguments, without a shell.
 * @param onStart called just before it starts; may throw
 */
export function planProgram(
  argv: readonly string[],
  io: Pick<CliIo, "cwd" | "env">,
  how: { readonly readsInput: boolean; readonly isOnGithub: boolean; readonly onStart: () => void },
): StartedFrom | NoCommand {
  const [name = "", ...args] = argv
  const program = findProgram(name, { ...io.env }, process.platform === "win32")
  if (program === null)
    return { exitCode: 127, message: `there is no program ${JSON.stringify(name)} that can be started` }
  return {
    script: null,
    command() {
      how.onStart()
      return {
        program,
        args,
        verbatim: false,
        folder: resolve(io.cwd),
        readsInput: how.readsInput,
        killAfterTermMs: how.isOnGithub ? KILL_AFTER_TERM_ON_GITHUB_MS : KILL_AFTER_TERM_MS,
      }
    },
  }
}
