import type { Http } from "../broker/ports/http.ts"

/** All input and output of a command, except the files that its arguments name. Tests pass their own. */
export interface CliIo {
  /** Writes `text` and a line end to standard output: the command's result. */
  out(text: string): void
  /** Writes `text` and a line end to standard error: errors, usage, progress. */
  err(text: string): void
  /** Colours text for a stream that shows colours; missing where none does. */
  readonly paint?: (stream: "out" | "err", style: "red" | "yellow" | "green", text: string) => string
  /** Rewrites one line of the terminal; null erases it. Missing where nobody watches. */
  readonly status?: (line: string | null) => void
  /** The file's bytes. Rejects as `node:fs/promises` does. */
  readFile(path: string): Promise<Uint8Array>
  /**
   * Creates a new file, and the folders above it: completely or not at all. Rejects as `node:fs/promises` does; with
   * `EEXIST` if the name exists, which is then left unchanged. A `secret` is readable for its owner alone from the first byte
   * on, and so is each new folder above it.
   */
  createFile(path: string, text: string, options?: { readonly secret: boolean }): Promise<void>
  /** Rejects as `node:fs/promises` does. */
  appendFile(path: string, text: string): Promise<void>
  /** Standard input, in pieces. For what can be of any size. */
  input(): AsyncIterable<Uint8Array>
  /** All of standard input; null when it is longer than `maxBytes`. */
  readInput(maxBytes: number): Promise<Uint8Array | null>
  /** Asks the person at the terminal; absent when there is none. */
  readonly ask?: Ask
  /** @throws {HttpError} */
  readonly http: Http
  now(): Date
  /** Of Daypass. */
  readonly version: string
  /** The current directory, absolute. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Questions to a person. Each rejects with `Interrupted` when the person ends the command instead of answering. */
export interface Ask {
  /** One line, without spaces around it. `check` says what is wrong with an answer, and the question stands until it is null. */
  text(question: {
    readonly message: string
    readonly initial?: string
    check(answer: string): string | null
  }): Promise<string>
  choose(question: { readonly message: string; readonly choices: readonly Choice[] }): Promise<string>
  confirm(question: { readonly message: string; readonly initial: boolean }): Promise<boolean>
}

export interface Choice {
  readonly value: string
  readonly name: string
}

/** The person has pressed Ctrl-C, or the terminal is gone. */
export class Interrupted extends Error {
  override readonly name = "Interrupted"
}

/** Exit codes of every command. `no` is a valid negative answer: errors found, denied, a broken chain. */
export const EXIT = { ok: 0, no: 1, usage: 2 } as const

/** What the user wrote behind a command's name, as its declaration reads it. */
export interface Arguments {
  /** By name, without the dashes. A switch is true or missing. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  /** The options that can be given several times. */
  readonly repeated: Readonly<Record<string, readonly string[]>>
  /** With the presets of those that were left out. */
  readonly positionals: readonly string[]
  /** What stands behind `--`, as it is; null when there is no `--`. Only for a command that runs another one. */
  readonly after: readonly string[] | null
}

/** The work of a command. Resolves to the exit code; rejects with a `Misuse` for wrong arguments, and otherwise only for a bug. */
export type Command = (given: Arguments, io: CliIo) => Promise<number>
