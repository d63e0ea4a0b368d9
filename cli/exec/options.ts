import type { ActionError } from "../../action/failure.ts"
import { type Inputs, invalid, readInputs } from "../../action/inputs.ts"
import { CLIENT_OPTIONS } from "../commands/shared.ts"
import type { CliIo } from "../io.ts"
import { fileTokens, inputTokens } from "./sources/file.ts"
import { isSet } from "./sources/source.ts"
import type { Found } from "./sources/sources.ts"
import { findSource } from "./sources/sources.ts"
import { noToken } from "./sources/token-text.ts"
import { variableTokens } from "./sources/variable.ts"

export type Options = Readonly<Record<string, string | boolean | undefined>>

/** The variable that names the broker for every command of a job. */
const BROKER_VARIABLE = "DAYPASS_BROKER"

/**
 * The options as the inputs of an action, checked by the same code.
 * @throws {ActionError} `input_invalid`
 */
export function readClientOptions(options: Options, environment: CliIo["env"]): Inputs {
  const given = (name: string) => textOf(options[name]).trim()
  const broker = given("broker") || (environment[BROKER_VARIABLE] ?? "").trim()
  const read: Readonly<Record<string, string>> = { sweep: "off", broker }
  return readInputs((name) => read[name] ?? (name in CLIENT_OPTIONS ? given(name) : ""))
}

const textOf = (value: string | boolean | undefined) => (typeof value === "string" ? value : "")

/** Longer than any token, with white space around it. */
const MAX_INPUT_BYTES = 32 * 1024

/** What the token options say. */
export interface TokenOptions {
  readonly source?: string
  readonly file?: string
  readonly variable?: string
}

/**
 * Reads where the tokens come from. At most one of the options can say it.
 * @throws {ActionError} `input_invalid`
 */
export function readTokenOptions(options: Options): TokenOptions {
  const names = ["source", "token-file", "token-variable"].filter((name) => options[name] !== undefined)
  const [first, second] = names
  if (first !== undefined && second !== undefined) throw invalid(second, `cannot be used with --${first}`)
  const value = textOf(options[first ?? ""])
  if (first !== undefined && value.trim() === "") throw invalid(first, "is empty")
  if (first === "source") return { source: value }
  if (first === "token-file") return { file: value }
  if (first !== undefined && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) throw noVariableName()
  return first === undefined ? {} : { variable: value }
}

/** Does not quote what came: the most common mistake is the token itself in the place of the variable's name. */
const noVariableName = (): ActionError =>
  invalid("token-variable", "must be the name of a variable, for example DAYPASS_ID_TOKEN, and never the token itself")

/** True when standard input is the token, and so no command can read it. */
export const readsTokenFromInput = ({ file }: TokenOptions): boolean => file === "-"

/**
 * Opens the place that the options name, or finds the job's own.
 * @throws {ActionError}
 */
export async function openSource(options: TokenOptions, io: CliIo): Promise<Found> {
  const { source, file, variable } = options
  if (variable !== undefined) {
    const change = `Set ${variable} to the job's ID token, or correct --token-variable.`
    if (!isSet(io.env, variable)) throw noToken(`The variable ${variable} is not set.`, change)
    return { title: `the variable ${variable}`, tokens: variableTokens(io.env, variable, change) }
  }
  if (file === undefined) return findSource(io.env, source)
  if (file !== "-") return { title: "a token file", tokens: fileTokens(file) }
  const input = await io.readInput(MAX_INPUT_BYTES)
  const text = input === null ? "" : Buffer.from(input).toString("latin1")
  if (text.trim() !== "") return { title: "standard input", tokens: inputTokens(text) }
  const what = input === null ? "is longer than any token" : "is empty"
  throw noToken(`Standard input ${what}.`, "Pipe the job's ID token into the command, and nothing else.")
}
