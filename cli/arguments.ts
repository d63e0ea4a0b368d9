import { inert } from "./inert.ts"
import { type CliIo, EXIT } from "./io.ts"
import { painted } from "./terminal.ts"

/** The arguments are wrong. The message says how; the usage is printed with it. */
export class Misuse extends Error {}

/** Ends a command whose arguments are wrong. @throws {Misuse} */
export function misused(message: string): never {
  throw new Misuse(message)
}

/** Prints why the command cannot run. */
export function impossible(message: string, io: CliIo): number {
  complain(message, io)
  return EXIT.usage
}

/** Prints what is wrong, on standard error. */
export function complain(message: string, io: Pick<CliIo, "err" | "paint">): void {
  io.err(`${painted(io, "err", "red", "daypass:")} ${inert(message)}`)
}

/** Why a file or folder cannot be read, without a stack: `ENOENT`, `EACCES`, ... */
export function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error"
}
