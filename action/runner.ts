// Long because it is the only file that touches the runner: its variables, its files, its commands and its log.
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { workflowCommand } from "./commands.ts"
import type { PlannedFile } from "./deliver/files.ts"
import type { Surroundings } from "./deliver/room.ts"
import { ActionError } from "./failure.ts"
import { parseJson } from "./json.ts"
import { print, printed } from "./log.ts"
import { appendToRunnerFile, requireRunnerFile } from "./runner-file.ts"

export { onLogClosed, writeToLog } from "./log.ts"

/** The runner's endpoint for ID tokens. */
export interface IdTokenEndpoint {
  readonly url: string
  readonly requestToken: string
}

/** Facts of the job that explain why it has no ID token. */
export interface JobFacts {
  readonly actor: string
  readonly eventName: string
  /** The webhook's payload; undefined when it cannot be read. */
  readonly event: unknown
}

type RunnerFile = "GITHUB_ENV" | "GITHUB_OUTPUT" | "GITHUB_STATE"

/** The trimmed text of an input; empty when the input is absent. */
export function input(name: string): string {
  return rawInput(name).trim()
}

/** The text of an input as it is written; empty when the input is absent. */
export function rawInput(name: string): string {
  return variable(`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`)
}

/** The environment of this step. */
export function stepEnvironment(): NodeJS.ProcessEnv {
  return process.env
}

/** The folder of the action's built files. */
export function actionFolder(): string {
  return dirname(resolve(process.argv[1] ?? ""))
}

/** The name of the built file with which this process was started. */
export function startedFile(): string {
  return basename(process.argv[1] ?? "")
}

/** Null in a job without `id-token: write`. */
export function idTokenEndpoint(): IdTokenEndpoint | null {
  const url = variable("ACTIONS_ID_TOKEN_REQUEST_URL")
  const requestToken = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
  return url === "" || requestToken === "" ? null : { url, requestToken }
}

/** Reads the job's facts. Never throws: an event that cannot be read is undefined. */
export function jobFacts(): JobFacts {
  return { actor: variable("GITHUB_ACTOR"), eventName: variable("GITHUB_EVENT_NAME"), event: readEvent() }
}

/** What the processes of later steps start with, as far as this step can know it. */
export function surroundings(): Surroundings {
  const stackBytes = () => {
    try {
      const soft = /^Max stack size +([0-9]+|unlimited) /m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1]
      return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft)
    } catch {
      return Number.NaN
    }
  }
  return { platform: process.platform, environment: process.env, stackBytes }
}

/** The environment in which Node finds the runner's proxy settings. */
export function proxyEnvironment(): NodeJS.ProcessEnv {
  return process.env
}

/**
 * Registers masks and returns when they are written to the runner, because a mask hides only later output. Each mask is
 * registered once, although a step may request several tokens.
 */
export async function registerMasks(masks: Iterable<string>): Promise<void> {
  if (isLogSilent) return
  const added = new Set(masks).difference(registered)
  for (const mask of added) registered.add(mask)
  printCommands([...added].map((mask) => workflowCommand("add-mask", mask)))
  await printed()
}

/**
 * From now on, nothing is written to the log, masks included: standard output belongs to the program that started this one,
 * and no runner reads it.
 */
export function silenceLog(): void {
  isLogSilent = true
}

/** Every mask of this step. */
export function registeredMasks(): ReadonlySet<string> {
  return registered
}

/**
 * Says that another program, whose output this step passes on, has stopped the runner's commands with this token; null when
 * they work again. The step's own commands are then put between a resumption and a new stop.
 */
export function commandsStoppedWith(token: string | null): void {
  stopToken = token
}

/** Sets variables for the following steps, all in one write. */
export function setVariables(variables: ReadonlyMap<string, string>): void {
  appendBlocks("GITHUB_ENV", variables)
}

/** Sets outputs of this step, all in one write. */
export function setOutputs(outputs: ReadonlyMap<string, string>): void {
  appendBlocks("GITHUB_OUTPUT", outputs)
}

/** Saves a text for the post step. The runner writes it to disk and to the debug log, so it must not be secret. */
export function saveState(name: string, value: string): void {
  appendBlocks("GITHUB_STATE", new Map([[name, value]]))
}

/** What main saved; empty when it saved nothing. */
export function savedState(name: string): string {
  return variable(`STATE_${name}`)
}

/** Throws, before the first request, when the runner lacks a file that the delivery writes to, or a link stands for it. */
export function requireRunnerFiles(): void {
  for (const name of ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"] as const) requireRunnerFile(name, runnerFile(name))
}

/**
 * The path of a new folder for this step's files, in the runner's temporary folder. That is outside the workspace, so a
 * checkout, cache or upload of the workspace does not include the files. The folder is not created yet.
 * @throws {ActionError} `runner_file_missing`
 */
export function jobFolder(): string {
  const root = variable("RUNNER_TEMP")
  if (root === "") throw new ActionError("runner_file_missing", "The runner did not set RUNNER_TEMP.")
  return join(resolve(root), `${FOLDER_PREFIX}${randomUUID()}`)
}

/**
 * A path in this step's folder for what the action itself needs. No grant's name starts with a dot, so no delivered file
 * can have the same path.
 */
export function pathIn(folder: string, name: string): string {
  return join(folder, ".run", name)
}

/** Creates the folder, which must not exist yet, and writes the files. Only the folder's owner can enter it. */
export function writeJobFiles(folder: string, files: readonly PlannedFile[]): void {
  mkdirSync(folder, { mode: 0o700 })
  for (const { path, bytes, mode } of files) {
    mkdirSync(dirname(path), { mode: 0o700, recursive: true })
    const descriptor = openSync(path, "wx", 0o600)
    try {
      writeFileSync(descriptor, bytes)
      // The mode of an open file is not subject to the process's umask, and belongs to no other file that stands there by now.
      fchmodSync(descriptor, mode)
    } finally {
      closeSync(descriptor)
    }
  }
}

/**
 * Replaces a file of `writeJobFiles` in one step, so that a program that reads it gets the old text or the new one. The new
 * file is made beside it, with `O_EXCL`, so no link is followed.
 */
export function replaceJobFile(path: string, bytes: Uint8Array): void {
  const next = `${path}.${randomUUID()}`
  try {
    writeFileSync(next, bytes, { flag: "wx", mode: 0o600 })
    renameSync(next, path)
  } catch (thrown) {
    rmSync(next, { force: true })
    throw thrown
  }
}

/** Creates a folder of `jobFolder`, which must not exist yet. Only its owner can enter it. */
export function makeJobFolder(folder: string): void {
  mkdirSync(folder, { mode: 0o700 })
}

/** Writes a new file of fingerprints in a folder of `jobFolder`. */
export function writeRecord(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), text, { flag: "wx", mode: 0o600 })
}

/**
 * The files of a folder of `jobFolder` whose names match. Null when the folder is not there, when a file cannot be read as what
 * this action wrote, a regular file that is reached without a link, or when they are larger than the action makes them.
 */
export function readRecords(
  folder: string,
  names: RegExp,
  most: { readonly eachBytes: number; readonly allBytes: number },
): readonly Buffer[] | null {
  try {
    if (!isJobFolder(folder) || !isFolder(folder)) return null
    let left = most.allBytes
    return readdirSync(folder)
      .filter((name) => names.test(name))
      .map((name) => {
        const bytes = readRegularFile(join(folder, name), Math.min(most.eachBytes, left))
        left -= bytes.length
        return bytes
      })
  } catch {
    return null
  }
}

/** Whether a folder is at this path, and no link to one. @throws when nothing is there */
export const isFolder = (path: string): boolean => lstatSync(path).isDirectory()

function readRegularFile(path: string, maxBytes: number): Buffer {
  // Windows has neither of the last two.
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const found = fstatSync(descriptor)
    if (!found.isFile() || found.size > maxBytes) throw new Error("unreachable for a file of this action")
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Removes a folder of `jobFolder` with its files. Ignores every other path. */
export function removeJobFolder(folder: string): void {
  if (isJobFolder(folder)) rmSync(folder, { recursive: true, force: true })
}

/** True for the path of a folder that `jobFolder` chose. */
export function isJobFolder(folder: string): boolean {
  return dirname(folder) === resolve(variable("RUNNER_TEMP")) && basename(folder).startsWith(FOLDER_PREFIX)
}

/** Where a sweep looks: what the runner and the system say of this job's folders. */
export function sweepPlaces() {
  const folder = (name: string) => (variable(name) === "" ? null : resolve(variable(name)))
  return {
    workspace: folder("GITHUB_WORKSPACE"),
    temp: folder("RUNNER_TEMP"),
    home: folder(process.platform === "win32" ? "USERPROFILE" : "HOME"),
    variables: process.env,
  }
}

/** Appends Markdown to the job's summary. Never fails the step: the summary is optional. */
export function appendSummary(markdown: string): void {
  const path = variable("GITHUB_STEP_SUMMARY")
  if (path === "") return
  try {
    appendToRunnerFile("GITHUB_STEP_SUMMARY", path, `${markdown}\n`)
  } catch (thrown) {
    if (thrown instanceof ActionError) warn(`The job's summary is not written. ${thrown.message}`)
    else printCommands([workflowCommand("debug", "The job summary cannot be written.")])
  }
}

/** Writes one line to the log. `text` starts with fixed words; its untrusted parts were escaped with `forLog`. */
export function info(text: string): void {
  if (!isLogSilent) print(`${text}\n`)
}

/** A line in the job's own repository, where an annotation then stands. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** Adds a warning to the run. As in `info`, untrusted parts of `text` were escaped with `forLog`. */
export function warn(text: string, title = "Daypass", place: Place | null = null): void {
  printCommands([workflowCommand("warning", text, { title, file: place?.file, line: place?.line })])
}

/** Adds an error to the run and fails the step. */
export function fail(title: string, text: string, place: Place | null = null): void {
  process.exitCode = 1
  printCommands([workflowCommand("error", text, { title, file: place?.file, line: place?.line })])
}

/** Ends the step with the exit code of a command, and says so as the runner does. */
export function endWith(exitCode: number): void {
  process.exitCode = exitCode
  if (exitCode !== 0) printCommands([workflowCommand("error", `Process completed with exit code ${exitCode}.`)])
}

/** Writes lines to the debug log, if the job has one. Their untrusted parts were escaped with `forLog`; no token, no secret. */
export function debug(lines: () => readonly string[]): void {
  if (variable("RUNNER_DEBUG") === "1") printCommands(lines().map((line) => workflowCommand("debug", line)))
}

const FOLDER_PREFIX = "daypass-"

const registered = new Set<string>()
let stopToken: string | null = null
let isLogSilent = false

/** In one write. */
function printCommands(lines: readonly string[]): void {
  if (isLogSilent || lines.length === 0) return
  const text = lines.join("")
  print(stopToken === null ? text : `::${stopToken}::\n${text}::stop-commands::${stopToken}\n`)
}

/** Loads node:crypto when it is needed: a post step that has nothing to do starts in half the time without. */
const randomUUID = () => process.getBuiltinModule("node:crypto").randomUUID()

function variable(name: string): string {
  return process.env[name] ?? ""
}

function readEvent(): unknown {
  try {
    return parseJson(readFileSync(variable("GITHUB_EVENT_PATH")))
  } catch {
    return undefined
  }
}

/**
 * The toolkit's calls are not used for these files, for two reasons. Without the file they print the value to the log. And
 * they write one value at a time, so a full disk would leave half a credential.
 */
function appendBlocks(name: RunnerFile, values: ReadonlyMap<string, string>): void {
  const blocks = [...values].map(([key, value]) => block(key, value)).join("")
  if (blocks !== "") appendToRunnerFile(name, runnerFile(name), blocks)
}

function runnerFile(name: RunnerFile): string {
  const path = variable(name)
  if (path === "") throw new ActionError("runner_file_missing", `The runner did not set ${name}.`)
  return path
}

/** `name<<delimiter`, the value, and the delimiter. The delimiter is random, so a value cannot contain it on purpose. */
function block(name: string, value: string): string {
  const delimiter = `daypass_${randomUUID()}`
  if (name.includes(delimiter) || value.includes(delimiter)) return block(name, value)
  return `${name}<<${delimiter}\n${value}\n${delimiter}\n`
}
