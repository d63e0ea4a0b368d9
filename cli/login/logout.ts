import { misused, readArguments } from "../arguments.ts"
import { type CliIo, EXIT } from "../io.ts"
import { forgetLogin } from "./stored-login.ts"

const USAGE = `Usage: daypass logout

Deletes what "daypass login" kept: the ID token and its key. Revokes nothing: a command that still runs ends what it got when it ends.
Your session at the provider stays: end it in your browser.

Exit codes: 0 there is no login any more, 2 the arguments are wrong.`

/** `daypass logout`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, {}, io)
  if (typeof read === "number") return read
  if (read.positionals.length > 0) return misused("logout takes no arguments", USAGE, io)
  io.out(forgetLogin(io) ? "Signed out. Commands that still run end what they got." : "You were not signed in.")
  return EXIT.ok
}
