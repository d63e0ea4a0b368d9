import { randomUUID } from "node:crypto"
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import * as core from "@actions/core"
import type { PlannedFile } from "./deliver/files.ts"
import { ActionError } from "./failure.ts"
import { parseJson } from "./json.ts"

/** Where this job gets ID tokens. */
export interface IdTokenEndpoint {
  readonly url: string
  readonly requestToken: string
}

/** What the runner says of the job, for telling why it has no ID token. */
export interface JobFacts {
  readonly actor: string
  readonly eventName: string
  /** The webhook's payload; undefined when it cannot be read. */
  readonly event: unknown
}

type RunnerFile = "GITHUB_ENV" | "GITHUB_OUTPUT" | "GITHUB_STATE"

/** The text of an input, trimmed; empty when left out. */
export function input(name: string): string {
  return core.getInput(name)
}

/** Null in a job without `id-token: write`. */
export function idTokenEndpoint(): IdTokenEndpoint | null {
  const url = variable("ACTIONS_ID_TOKEN_REQUEST_URL")
  const requestToken = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
  return url === "" || requestToken === "" ? null : { url, requestToken }
}

/** What the job is, as far as it tells why there is no ID token. Never throws: an event that cannot be read is none. */
export function jobFacts(): JobFacts {
  return { actor: variable("GITHUB_ACTOR"), eventName: variable("GITHUB_EVENT_NAME"), event: readEvent() }
}

/** The variables from which Node learns of the runner's proxy. */
export function proxyEnvironment(): NodeJS.ProcessEnv {
  return process.env
}

/**
 * Registers masks and returns when the runner has them: masks hide only what comes after them. Each is registered
 * once, by a step that may ask for several tokens.
 */
export async function registerMasks(masks: Iterable<string>): Promise<void> {
  for (const mask of masks) {
    if (registered.has(mask)) continue
    registered.add(mask)
    core.setSecret(mask)
  }
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()))
}

/** Sets variables for the steps that follow, all of them in one write. */
export function setVariables(variables: ReadonlyMap<string, string>): void {
  appendBlocks("GITHUB_ENV", variables)
}

/** Sets outputs of this step, all of them in one write. */
export function setOutputs(outputs: ReadonlyMap<string, string>): void {
  appendBlocks("GITHUB_OUTPUT", outputs)
}

/** Keeps a text for the post step. The runner writes it to disk and to the debug log: never a secret. */
export function saveState(name: string, value: string): void {
  appendBlocks("GITHUB_STATE", new Map([[name, value]]))
}

/** What main saved; empty when it saved nothing. */
export function savedState(name: string): string {
  return core.getState(name)
}

/** Throws, before anything was asked for, when this runner could not take what an exchange brings. */
export function requireRunnerFiles(): void {
  for (const name of ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"] as const) runnerFile(name)
}

/**
 * A folder for this step's files, in the runner's folder for temporary ones: outside of the workspace, where no checkout,
 * cache or upload of it takes them along. Not made yet.
 * @throws {ActionError} `runner_file_missing`
 */
export function jobFolder(): string {
  const root = variable("RUNNER_TEMP")
  if (root === "") throw new ActionError("runner_file_missing", "The runner did not set RUNNER_TEMP.")
  return join(resolve(root), `${FOLDER_PREFIX}${randomUUID()}`)
}

/** Writes files below a folder that must not be there yet. Nobody but their owner can enter it. */
export function writeJobFiles(folder: string, files: readonly PlannedFile[]): void {
  mkdirSync(folder, { mode: 0o700 })
  for (const { path, bytes, mode } of files) {
    mkdirSync(dirname(path), { mode: 0o700, recursive: true })
    writeFileSync(path, bytes, { flag: "wx", mode: 0o600 })
    // The process's umask takes bits away from the mode that a file is made with.
    chmodSync(path, mode)
  }
}

/** Removes such a folder and all in it; a path that is none of ours is left alone. */
export function removeJobFolder(folder: string): void {
  const isOurs = dirname(folder) === resolve(variable("RUNNER_TEMP")) && basename(folder).startsWith(FOLDER_PREFIX)
  if (isOurs) rmSync(folder, { recursive: true, force: true })
}

/** Adds Markdown to the job's summary. Never fails a step: a summary is a courtesy. */
export function appendSummary(markdown: string): void {
  const path = variable("GITHUB_STEP_SUMMARY")
  if (path === "") return
  try {
    appendFileSync(path, `${markdown}\n`)
  } catch {
    core.debug("The job summary cannot be written.")
  }
}

/** One line of the log. `text` starts with words of ours; foreign parts of it went through `forLog`. */
export function info(text: string): void {
  core.info(text)
}

/** Annotates the run. As with `info`, foreign parts of `text` went through `forLog`. */
export function warn(text: string): void {
  core.warning(text, { title: "Daypass" })
}

/** Annotates the run and fails the step. */
export function fail(title: string, text: string): void {
  process.exitCode = core.ExitCode.Failure
  core.error(text, { title })
}

const FOLDER_PREFIX = "daypass-"

const registered = new Set<string>()

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
 * The toolkit's own calls are not used for these files: without the file they print the value to the log instead, and
 * they write value by value, so that a full disk leaves half of a credential behind.
 */
function appendBlocks(name: RunnerFile, values: ReadonlyMap<string, string>): void {
  const blocks = [...values].map(([key, value]) => block(key, value)).join("")
  if (blocks !== "") appendFileSync(runnerFile(name), blocks)
}

function runnerFile(name: RunnerFile): string {
  const path = variable(name)
  if (path === "") throw new ActionError("runner_file_missing", `The runner did not set ${name}.`)
  return path
}

/** `name<<delimiter`, the value, and a delimiter that nobody could have put into the value. */
function block(name: string, value: string): string {
  const delimiter = `daypass_${randomUUID()}`
  if (name.includes(delimiter) || value.includes(delimiter)) return block(name, value)
  return `${name}<<${delimiter}\n${value}\n${delimiter}\n`
}
