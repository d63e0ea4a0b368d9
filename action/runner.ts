import { readFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { workflowCommand } from "./commands.ts"
import { ActionError } from "./failure.ts"
import type { Host } from "./host.ts"
import { parseJson } from "./json.ts"
import { print, printed } from "./log.ts"
import { appendToRunnerFile, block, requireRunnerFile } from "./runner-file.ts"

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
  /** Forgejo's runner sets GitHub's variables too, and asks for ID tokens in another way. */
  readonly isForgejo: boolean
  /** The webhook's payload; undefined when it cannot be read. */
  readonly event: unknown
}

let host: Host | null = null

/** Says that this client runs in the place of a step, and where; null: in a step. Called once, before anything else. */
export function runOn(other: Host | null): void {
  host = other
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

/** The environment of this step, with the runner's proxy settings. */
export function stepEnvironment(): NodeJS.ProcessEnv {
  return process.env
}

/** The path of a program of the client's own, which stands beside it: `aws-profile`, `renew`. */
export function programPath(name: string): string {
  return host?.programPath(name) ?? resolve(dirname(process.argv[1] ?? ""), `${name}.js`)
}

export const userAgent = (): string => host?.userAgent ?? "daypass-action"

/** What people wrote, for messages: "The input `grants`". */
export const nameOfInput = (name: string): string => host?.nameOfInput(name) ?? `The input \`${name}\``

/** What becomes of a lease that cannot be revoked now. */
export const laterRevocation = (): string => host?.laterRevocation ?? "the post step tries again"

/** Null in a job without `id-token: write`. */
export function idTokenEndpoint(): IdTokenEndpoint | null {
  const url = variable("ACTIONS_ID_TOKEN_REQUEST_URL")
  const requestToken = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
  return url === "" || requestToken === "" ? null : { url, requestToken }
}

/** Reads the job's facts. Never throws: an event that cannot be read is undefined. */
export function jobFacts(): JobFacts {
  return {
    actor: variable("GITHUB_ACTOR"),
    eventName: variable("GITHUB_EVENT_NAME"),
    isForgejo: variable("FORGEJO_ACTIONS") === "true",
    event: readEvent(),
  }
}

/**
 * Registers masks and returns when they are written to the runner, because a mask hides only later output. Each mask is
 * registered once, although a step may request several tokens.
 */
export async function registerMasks(masks: Iterable<string>): Promise<void> {
  if (isLogSilent) return
  const added = [...new Set(masks)].filter((mask) => !registered.has(mask))
  for (const mask of added) registered.add(mask)
  if (host?.log) return host.log.hide(added)
  printCommands(added.map((mask) => ["add-mask", mask]))
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
  if (host === null) appendBlocks("GITHUB_OUTPUT", outputs)
}

/** Saves a text for the post step. The runner writes it to disk and to the debug log, so it must not be secret. */
export function saveState(name: string, value: string): void {
  if (host === null) appendBlocks("GITHUB_STATE", new Map([[name, value]]))
}

/** What main saved; empty when it saved nothing. */
export function savedState(name: string): string {
  return variable(`STATE_${name}`)
}

/** Throws, before the first request, when the runner lacks a file that the delivery writes to, or a link stands for it. */
export function requireRunnerFiles(): void {
  for (const name of ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"] as const) requireRunnerFile(name, runnerFile(name))
}

/** The runner's folder for temporary files, which it empties before and after each job; null when it is not set. */
export function temporaryFolder(): string | null {
  return host?.temporaryFolder ?? folderIn("RUNNER_TEMP")
}

/** Where a sweep looks: what the runner and the system say of this job's folders. */
export function sweepPlaces() {
  return {
    workspace: folderIn("GITHUB_WORKSPACE"),
    temp: temporaryFolder(),
    home: folderIn(process.platform === "win32" ? "USERPROFILE" : "HOME"),
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
    else printCommands([["debug", "The job summary cannot be written."]])
  }
}

/** Writes one line to the log. `text` starts with fixed words; its untrusted parts were escaped with `forLog`. */
export function info(text: string): void {
  if (!isLogSilent) print(`${host === null ? "" : "daypass: "}${text}\n`)
}

/** A line in the job's own repository, where an annotation then stands. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** Adds a warning to the run. As in `info`, untrusted parts of `text` were escaped with `forLog`. */
export function warn(text: string, title = "Daypass", place: Place | null = null): void {
  printCommands([["warning", text, { title, file: place?.file, line: place?.line }]])
}

/** Adds an error to the run and fails the step. */
export function fail(title: string, text: string, place: Place | null = null): void {
  process.exitCode = 1
  printCommands([["error", text, { title, file: place?.file, line: place?.line }]])
}

/** Ends the step with the exit code of a command, and says so as the runner does. */
export function endWith(exitCode: number): void {
  process.exitCode = exitCode
  if (exitCode !== 0) printCommands([["error", `Process completed with exit code ${exitCode}.`]])
}

/** Writes lines to the debug log, if the job has one. Their untrusted parts were escaped with `forLog`; no token, no secret. */
export function debug(lines: () => readonly string[]): void {
  if (variable("RUNNER_DEBUG") === "1") printCommands(lines().map((line) => ["debug", line]))
}

const registered = new Set<string>()
let stopToken: string | null = null
let isLogSilent = false

type Command = Parameters<typeof workflowCommand>

/** In one write. */
function printCommands(commands: readonly Command[]): void {
  if (isLogSilent || commands.length === 0) return
  const text = commands.map((one) => (host?.log ? `daypass: ${one[0]}: ${one[1]}\n` : workflowCommand(...one))).join("")
  print(stopToken === null ? text : `::${stopToken}::\n${text}::stop-commands::${stopToken}\n`)
}

function variable(name: string): string {
  return process.env[name] ?? ""
}

const folderIn = (name: string) => (variable(name) === "" ? null : resolve(variable(name)))

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
