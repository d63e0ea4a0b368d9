import {
  isLoginTool,
  LOGIN_FIELDS,
  type LoginTool,
  loginValueFault,
  MAX_LOGINS,
  readLogin,
  type ToolLogin,
  targetOf,
} from "../../../broker/wire/tool-login.ts"
import { type Credential, unusable, type Value } from "../../answer.ts"
import type { PlannedFile } from "../../deliver/files.ts"
import { deliveryRefused } from "../../failure.ts"
import { memberOf } from "../../json.ts"

/** The job's own files, as far as tools keep their configuration in them. */
export interface OwnFiles {
  /** Reads the text of a file; null when the file is missing. @throws {ActionError} `delivery_refused` when it cannot be read */
  text(path: string): string | null
  /** All files below a folder, with their paths from there. @throws {ActionError} `delivery_refused` for too many of them */
  below(folder: string): readonly { readonly path: string; readonly bytes: Buffer }[]
  exists(path: string): boolean
}

export interface ToolsContext {
  /** The folder of this step's files. */
  readonly folder: string
  readonly platform: NodeJS.Platform
  /** What the tools find now: the names of their configuration, which is kept. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly own: OwnFiles
}

/** What logs tools in. */
export interface ToolsPlan {
  readonly files: readonly PlannedFile[]
  readonly variables: ReadonlyMap<string, string>
  /** Texts that were made of secrets, and must be masked. */
  readonly secrets: readonly string[]
  /** What of the job will win over a login: sentences for the log. */
  readonly warnings: readonly string[]
}

export const NOTHING: ToolsPlan = { files: [], variables: new Map(), secrets: [], warnings: [] }

/** One login, with the value that is its password or token. */
export interface Login<Of extends ToolLogin = ToolLogin> {
  readonly grant: string
  readonly name: string
  readonly value: string
  readonly login: Of
}

export type LoginOf<Tool extends LoginTool> = Login<ToolLogin & { readonly tool: Tool }>

/**
 * Reads the logins of these credentials. Every part is checked as the broker checks it, because it becomes text of a
 * configuration file: an answer must not bring further lines into one.
 * @throws {ActionError} `answer_unusable`; the message never quotes a value
 */
export function readLogins(credentials: readonly Credential[]): readonly Login[] {
  return credentials.flatMap(({ grant, values }) => values.flatMap((value) => loginsOfValue(grant, value)))
}

function loginsOfValue(grant: string, { name, value, logins = [] }: Value): readonly Login[] {
  if (logins.length > MAX_LOGINS) throw unusable(`the value ${name} of ${grant} has more than ${MAX_LOGINS} logins`)
  const read = logins.map((login) => readLoginOf(`the value ${name} of ${grant}`, login))
  const twice = read.find(({ tool }, index) => read.findIndex((one) => one.tool === tool) !== index)
  if (twice !== undefined) throw unusable(`the value ${name} of ${grant} has two logins for ${twice.tool}`)
  for (const { tool } of read) {
    const fault = loginValueFault(tool, value)
    if (fault !== null) throw unusable(`the value ${name} of ${grant} ${fault}`)
  }
  return read.map((login) => ({ grant, name, value, login }))
}

function readLoginOf(ofWhat: string, login: unknown): ToolLogin {
  const tool = memberOf(login, "tool")
  if (!isLoginTool(tool))
    throw unusable(`${ofWhat} is for a tool that this version of the action does not know: update the action`)
  const parts: Record<string, string> = {}
  for (const field of LOGIN_FIELDS) {
    const text = memberOf(login, field)
    if (text === undefined) continue
    if (typeof text !== "string") throw unusable(`${ofWhat} has a login for ${tool} whose ${field} is not a text`)
    parts[field] = text
  }
  const read = readLogin(tool, parts)
  if (read.login === undefined)
    throw unusable(
      `${ofWhat} has a login for ${tool} whose ${read.faults[0]?.field} is missing, invalid or of another tool`,
    )
  return read.login
}

/** The logins of this tool. */
export const loginsIn = <Tool extends LoginTool>(logins: readonly Login[], tool: Tool): readonly LoginOf<Tool>[] =>
  logins.filter((one): one is LoginOf<Tool> => one.login.tool === tool)

/**
 * The logins of a tool that has one for each target.
 * @throws {ActionError} `delivery_refused` when two of them are different and for the same target
 */
export function loginsFor<Tool extends LoginTool>(logins: readonly Login[], tool: Tool): readonly LoginOf<Tool>[] {
  const byTarget = new Map<string, LoginOf<Tool>>()
  for (const one of loginsIn(logins, tool)) {
    const target = targetOf(one.login)
    const first = byTarget.get(target)
    if (first !== undefined && (first.value !== one.value || JSON.stringify(first.login) !== JSON.stringify(one.login)))
      throw deliveryRefused(
        `Two values log ${tool} in at ${target}: ${first.grant} (${first.name}) and ${one.grant} (${one.name}). Use two steps, or take one of them.`,
      )
    byTarget.set(target, first ?? one)
  }
  return [...byTarget.values()]
}

/** The home of the user that the job runs as; empty when the environment has none. */
export const homeOf = ({ environment, platform }: ToolsContext): string =>
  environment[platform === "win32" ? "USERPROFILE" : "HOME"] ?? ""

/** The text that HTTP's basic authentication sends (RFC 7617), and that Docker's configuration has. */
export const basicOf = (user: string, password: string): string =>
  Buffer.from(`${user}:${password}`, "utf8").toString("base64")
