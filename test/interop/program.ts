import { spawn } from "node:child_process"

export interface ProgramOptions {
  /** All that it gets; the caller's own when left out. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Whom it runs as; the caller when left out. */
  readonly as?: { readonly uid: number; readonly gid: number }
  /** Whether it answers by now. A failure counts as not yet. */
  readonly isReady: () => Promise<boolean>
}

export interface RunningProgram {
  readonly pid: number
  /** Ends it at once, and waits until it has. */
  close(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
const POLL_MS = 100

/**
 * Starts a program that serves, and waits until it answers. It ends with this process at the latest.
 * @throws when it ends before, or does not answer in time
 */
export async function startProgram(
  program: string,
  args: readonly string[],
  { env, cwd, as, isReady }: ProgramOptions,
): Promise<RunningProgram> {
  const child = spawn(program, args, {
    stdio: "ignore",
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
    ...as,
  })
  let fault: Error | null = null
  child.once("error", (error) => {
    fault = error
  })
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const end = () => void child.kill("SIGKILL")
  process.once("exit", end)
  const close = async () => {
    end()
    if (child.pid !== undefined) await exited
    process.removeListener("exit", end)
  }
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await isReady().catch(() => false))) {
    if (fault !== null || child.exitCode !== null || Date.now() > deadline) {
      await close()
      throw new Error(`${program} did not start`, { cause: fault })
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return { pid: child.pid ?? 0, close }
}

/** Whether something answers there with success. */
export const answers = async (url: string): Promise<boolean> => (await fetch(url)).ok
