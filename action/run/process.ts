import { type ChildProcess, spawn } from "node:child_process"
import { constants } from "node:os"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { ActionError } from "../failure.ts"
import { invalid } from "../inputs.ts"
import { onLogClosed, stepEnvironment } from "../runner.ts"
import type { ChildOutput } from "./output.ts"

export interface CommandLine {
  readonly program: string
  readonly args: readonly string[]
  readonly verbatim: boolean
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** True when the command reads this process's standard input. Otherwise it has none. */
  readonly readsInput?: boolean
  /** How long the command may live on after SIGTERM. */
  readonly killAfterTermMs?: number
}

/** After SIGTERM, the runner leaves this step 2.5 s. The rest of them is for the revocation. */
const KILL_AFTER_TERM_MS = 1_200
/** What a command leaves behind gets this long to end by itself. */
const LEFT_BEHIND_MS = 1_000
const POLL_MS = 25
/** A process that left the group can hold the output open. Its output is not waited for. */
const OUTPUT_AFTER_END_MS = 1_000
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * Runs the command in a new process group, passes its output on, and forwards the signals that this step gets. When the
 * command has ended, this function also ends every process that is left in the group. Returns its exit code; after a signal 128 and the
 * signal's number, as shells do.
 *
 * The runner cancels a step with SIGINT, after 7.5 s SIGTERM, and after 2.5 s ends the action's process alone, with SIGKILL
 * (ProcessInvoker.cs). So the group must be gone before that.
 * @param output null when the command writes to this process's own streams. It then stays in this process's group, so that a
 *   terminal knows it, and gets the terminal's Ctrl+C without this function
 * @throws {ActionError} when the program cannot be started
 */
export async function runProcess(line: CommandLine, output: ChildOutput | null): Promise<number> {
  const isWindows = process.platform === "win32"
  const child = start(line, { isWindows, isPiped: output !== null })
  const group = new ProcessGroup(child.pid, {
    isWindows,
    isShared: output === null,
    killAfterTermMs: line.killAfterTermMs ?? KILL_AFTER_TERM_MS,
  })
  const forward = (signal: NodeJS.Signals) => group.signal(signal === "SIGINT" ? "SIGINT" : "SIGTERM")
  for (const signal of SIGNALS) process.on(signal, forward)
  if (output !== null) onLogClosed(() => group.signal("SIGTERM"))
  try {
    const passed = Promise.all([
      pass(child.stdout, output?.stream("stdout")),
      pass(child.stderr, output?.stream("stderr")),
    ])
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", () => reject(invalid("shell", "names a program that cannot be started")))
      child.on("exit", (exitCode, signal) =>
        resolve(exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      )
    })
    await group.end()
    await Promise.race([passed, outputTime()])
    return code
  } finally {
    for (const signal of SIGNALS) process.off(signal, forward)
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

function start(line: CommandLine, how: { readonly isWindows: boolean; readonly isPiped: boolean }): ChildProcess {
  const out = how.isPiped ? "pipe" : "inherit"
  try {
    return spawn(line.program, line.args, {
      cwd: line.folder,
      env: line.environment,
      stdio: [line.readsInput ? "inherit" : "ignore", out, out],
      // On Windows, a detached process gets a new console, and Ctrl+C does not reach it.
      detached: !how.isWindows && how.isPiped,
      windowsVerbatimArguments: line.verbatim,
    })
  } catch (thrown) {
    const isTooBig = thrown instanceof Error && "code" in thrown && thrown.code === "E2BIG"
    if (!isTooBig) throw thrown
    const message =
      "The command cannot be started, because its variables are too large together. Deliver large values as files."
    throw new ActionError("delivery_refused", message)
  }
}

/** Passes one stream on, and reads no more of it than the log takes. */
async function pass(stream: Readable | null, lines: ReturnType<ChildOutput["stream"]> | undefined): Promise<void> {
  if (stream === null || lines === undefined) return
  try {
    for await (const chunk of stream) await lines.push(chunk as Buffer)
  } catch {
    // The stream was destroyed, because a process outside of the group holds it open.
  }
  await lines.end()
}

interface Reach {
  readonly isWindows: boolean
  /** True when the command is in this process's own group, and is reached alone. */
  readonly isShared: boolean
  readonly killAfterTermMs: number
}

class ProcessGroup {
  readonly #leader: number | undefined
  readonly #how: Reach
  #isTerminating = false

  constructor(leader: number | undefined, how: Reach) {
    this.#leader = leader
    this.#how = how
  }

  signal(signal: "SIGINT" | "SIGTERM"): void {
    if (signal === "SIGTERM" || !this.#how.isShared) this.#send(signal)
    if (signal === "SIGINT" || this.#isTerminating) return
    this.#isTerminating = true
    setTimeout(() => this.#send("SIGKILL"), this.#how.killAfterTermMs).unref()
  }

  /** Ends what is left of the group. */
  async end(): Promise<void> {
    if (this.#how.isShared || !this.#send("SIGTERM")) return
    const patience = this.#isTerminating ? 0 : LEFT_BEHIND_MS
    for (let waited = 0; waited < patience && this.#send(0); waited += POLL_MS) await sleep(POLL_MS)
    this.#send("SIGKILL")
  }

  /** Returns false when the group has no process left. */
  #send(signal: NodeJS.Signals | 0): boolean {
    if (this.#leader === undefined) return false
    if (this.#how.isWindows) return this.#sendOnWindows(signal)
    try {
      return process.kill(this.#how.isShared ? this.#leader : -this.#leader, signal)
    } catch {
      return false
    }
  }

  /** Ctrl+C reaches the command by its console. Everything else ends the whole tree: Windows has no other signals. */
  #sendOnWindows(signal: NodeJS.Signals | 0): boolean {
    if (signal === "SIGINT" || signal === 0) return false
    // By its path: a name is looked for in the workspace first, and that program would get this action's own environment.
    const program = join(stepEnvironment()["SystemRoot"] ?? "C:\\Windows", "System32", "taskkill.exe")
    spawn(program, ["/PID", String(this.#leader), "/T", "/F"], { stdio: "ignore" }).on("error", () => undefined)
    return false
  }
}

/** Its timer does not keep this step running: the open output does. */
const outputTime = () => new Promise<void>((resolve) => setTimeout(resolve, OUTPUT_AFTER_END_MS).unref())

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
