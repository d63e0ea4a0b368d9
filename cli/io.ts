import type { Http } from "../broker/ports/http.ts"

/** Everything that a command may touch besides the files its arguments name. Tests pass their own. */
export interface CliIo {
  /** Writes `text` and a line end to standard output: what the command was asked for. */
  out(text: string): void
  /** Writes `text` and a line end to standard error: why it could not be done, usage, progress. */
  err(text: string): void
  /** The file's bytes. Rejects as `node:fs/promises` does. */
  readFile(path: string): Promise<Uint8Array>
  /**
   * Makes a file that is not there yet, with the folders above it: whole, or not at all. Rejects as `node:fs/promises`
   * does; with `EEXIST` when there is anything under that name, which is then left as it is.
   */
  createFile(path: string, text: string): Promise<void>
  /** Rejects as `node:fs/promises` does. */
  appendFile(path: string, text: string): Promise<void>
  /** Standard input up to its end; null when it is longer than `maxBytes`. */
  readInput(maxBytes: number): Promise<Uint8Array | null>
  /** @throws {HttpError} */
  readonly http: Http
  now(): Date
  /** The current directory, absolute. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Exit codes of every command. `no` is a correct "no": faults found, denied, a chain that does not fit. */
export const EXIT = { ok: 0, no: 1, usage: 2 } as const

/** A command. `args` are those after its name. Resolves to the exit code; rejects only for a bug. */
export type Command = (args: readonly string[], io: CliIo) => Promise<number>
