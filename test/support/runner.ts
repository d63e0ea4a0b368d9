import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const FILE_COMMANDS = ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"] as const
/** It only ends what hangs: the action has a deadline of its own. */
const DEFAULT_TIMEOUT_MS = 300_000

/** The defaults that are expressions, as the runner evaluates them in a job without a matrix. */
const EVALUATED: Readonly<Record<string, string>> = {
  "${{ strategy.max-parallel < strategy.job-total && strategy.max-parallel || strategy.job-total }}": "1",
}

/** What programs on Windows need to start, and every process there has. */
const OF_WINDOWS =
  "APPDATA COMSPEC LOCALAPPDATA PATHEXT PROGRAMDATA PROGRAMFILES SYSTEMDRIVE SYSTEMROOT TEMP TMP USERPROFILE WINDIR"

/** What the runner gives a step. Nothing of the caller's own environment reaches the action but `PATH`, and on Windows the system's own. */
export interface ActionStep {
  readonly entry: "main" | "post"
  /** Another file to run in the place of the built one. */
  readonly main?: string
  /** As under `with:`; defaults come from action.yml. The post step gets them too, as from the real runner. */
  readonly inputs?: Readonly<Record<string, string>>
  /** Left out, the job has no `id-token: write`. */
  readonly idToken?: { readonly url: string; readonly requestToken: string }
  /** What main saved, for post. */
  readonly state?: Readonly<Record<string, string>>
  readonly eventName?: string
  readonly actor?: string
  /** The webhook's payload, as in `GITHUB_EVENT_PATH`. */
  readonly event?: unknown
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  /** A folder that is the runner's for temporary files, and stays; one of the step's own that goes with it when left out. */
  readonly temp?: string
  /**
   * Called with all of stdout so far, whenever there is more of it. `send` sends a signal to the action's process alone,
   * `hangUp` closes its log.
   */
  readonly watch?: (stdout: string, send: (signal: NodeJS.Signals) => void, hangUp: () => void) => void
  /** Ends the step at once, as a cancelled job does. */
  readonly signal?: AbortSignal
  /** Kills the step with SIGKILL when this resolves. What it has written by then is its run. */
  readonly killed?: Promise<unknown>
}

export interface ActionRun {
  /** Null when a signal ended the step. */
  readonly exitCode: number | null
  /** Everything the step wrote, commands included: holds secrets in `::add-mask::` lines. */
  readonly stdout: string
  readonly stderr: string
  /** What a person reads: no mask commands, and every masked text as `***`. */
  readonly log: string
  /** The registered masks, decoded, in order. */
  readonly masks: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  /** The runner's files as they were written. */
  readonly files: Readonly<Record<(typeof FILE_COMMANDS)[number], string>>
  /** What the step left in the runner's folder for temporary files, by path from there: text, and mode as in `ls`. */
  readonly written: Readonly<Record<string, { readonly bytes: Buffer; readonly mode: string }>>
  readonly durationMs: number
}

/** Runs one entry of the built action as the runner would: a fresh process, a fresh directory, the runner's files. */
export async function runAction(step: ActionStep): Promise<ActionRun> {
  const directory = mkdtempSync(join(tmpdir(), "daypass-runner-"))
  const temp = step.temp ?? join(directory, "temp")
  try {
    mkdirSync(temp, { recursive: true })
    for (const name of FILE_COMMANDS) writeFileSync(join(directory, name), "")
    writeFileSync(join(directory, "event.json"), JSON.stringify(step.event ?? {}))
    const started = performance.now()
    const { exitCode, stdout, stderr } = await spawnStep(step, directory, temp)
    const durationMs = performance.now() - started
    const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
    const read = (name: string) => (isFile(join(directory, name)) ? readFileSync(join(directory, name), "utf8") : "")
    const files = {
      GITHUB_ENV: read("GITHUB_ENV"),
      GITHUB_OUTPUT: read("GITHUB_OUTPUT"),
      GITHUB_STATE: read("GITHUB_STATE"),
      GITHUB_STEP_SUMMARY: read("GITHUB_STEP_SUMMARY"),
    }
    const masks = readMasks(stdout)
    return {
      exitCode,
      stdout,
      stderr,
      log: maskedLog(stdout, masks),
      masks,
      env: parseFileCommands(files.GITHUB_ENV),
      outputs: parseFileCommands(files.GITHUB_OUTPUT),
      state: parseFileCommands(files.GITHUB_STATE),
      summary: files.GITHUB_STEP_SUMMARY,
      files,
      written: filesBelow(temp),
      durationMs,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/**
 * Reads a runner file of `name<<delimiter` blocks as the runner does, and throws where it would fail the step. On Windows alone,
 * CR LF ends a line, too (FileCommandManager.cs).
 */
function parseFileCommands(text: string): Record<string, string> {
  const found: Record<string, string> = Object.create(null)
  const lines = text.split("\n")
  const withoutEnd = (line = "") => (process.platform === "win32" ? line.replace(/\r$/, "") : line)
  for (let at = 0; at < lines.length; at++) {
    const line = withoutEnd(lines[at])
    if (line === "") continue
    const heredoc = /^([^=]+?)<<(.+)$/.exec(line)
    const plain = /^([^=]+)=(.*)$/.exec(line)
    if (heredoc?.[1] !== undefined) {
      const end = lines.findIndex((each, index) => index > at && withoutEnd(each) === heredoc[2])
      if (end === -1) throw new Error(`the value of ${heredoc[1]} has no closing delimiter`)
      found[heredoc[1]] = withoutEnd(lines.slice(at + 1, end).join("\n"))
      at = end
    } else if (plain?.[1] !== undefined) {
      found[plain[1]] = plain[2] ?? ""
    } else {
      throw new Error("a line of a runner file is neither name=value nor name<<delimiter")
    }
  }
  return found
}

/** The environment of one step, as the runner would set it. */
export function stepEnvironment(step: ActionStep, directory: string, temp = directory): Record<string, string> {
  const inputs = { ...definition().defaults, ...step.inputs }
  const system = process.platform === "win32" ? OF_WINDOWS.split(" ") : []
  return {
    ...Object.fromEntries(system.map((name) => [name, process.env[name] ?? ""])),
    PATH: process.env["PATH"] ?? "",
    // A user of a container often has no home of their own. The runner gives every step one.
    HOME: directory,
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_REPOSITORY: "acme/shop",
    GITHUB_EVENT_NAME: step.eventName ?? "push",
    GITHUB_ACTOR: step.actor ?? "octocat",
    GITHUB_EVENT_PATH: join(directory, "event.json"),
    RUNNER_TEMP: temp,
    ...Object.fromEntries(FILE_COMMANDS.map((name) => [name, join(directory, name)])),
    ...Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`, value]),
    ),
    ...Object.fromEntries(Object.entries(step.state ?? {}).map(([name, value]) => [`STATE_${name}`, value])),
    ...(step.idToken && {
      ACTIONS_ID_TOKEN_REQUEST_URL: step.idToken.url,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: step.idToken.requestToken,
    }),
    ...step.env,
  }
}

interface Definition {
  readonly main: string
  readonly post: string
  readonly defaults: Readonly<Record<string, string>>
}

let defined: Definition | undefined

/** What action.yml says: where the entries are, and the inputs' defaults. Read once: a suite has a thousand steps. */
export function definition(): Definition {
  defined ??= readDefinition()
  return defined
}

function readDefinition(): Definition {
  const yaml = parse(readFileSync(join(ROOT, "action.yml"), "utf8")) as {
    runs: { main: string; post: string }
    inputs: Record<string, { default?: string }>
  }
  return {
    main: join(ROOT, yaml.runs.main),
    post: join(ROOT, yaml.runs.post),
    defaults: Object.fromEntries(
      Object.entries(yaml.inputs).map(([name, { default: text = "" }]) => [name, EVALUATED[text] ?? text]),
    ),
  }
}

/**
 * The Node that runs actions: the very version that `runs.using` names, whatever runs the tests. The program itself: what npm
 * puts into `.bin` is a script on Windows.
 */
export function actionNode(): string {
  return join(ROOT, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node")
}

function filesBelow(folder: string): ActionRun["written"] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const mode = (statSync(path).mode & 0o777).toString(8).padStart(4, "0")
      return [relative(folder, path), { bytes: readFileSync(path), mode }]
    }),
  )
}

function spawnStep(step: ActionStep, directory: string, temp: string) {
  return new Promise<{ exitCode: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(actionNode(), [step.main ?? definition()[step.entry]], {
      cwd: directory,
      env: stepEnvironment(step, directory, temp),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: step.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      ...(step.signal && { signal: step.signal }),
    })
    void step.killed?.then(() => child.kill("SIGKILL"))
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      step.watch?.(
        stdout,
        (signal) => child.kill(signal),
        () => child.stdout.destroy(),
      )
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("error", reject)
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}

function readMasks(stdout: string): string[] {
  return [...stdout.matchAll(/^::add-mask::(.*)$/gm)].map((match) =>
    (match[1] ?? "").replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%"),
  )
}

function maskedLog(stdout: string, masks: readonly string[]): string {
  const shown = stdout.replace(/^::add-mask::.*\n/gm, "")
  const longestFirst = [...masks].sort((a, b) => b.length - a.length)
  return longestFirst.reduce((text, mask) => (mask === "" ? text : text.replaceAll(mask, "***")), shown)
}
