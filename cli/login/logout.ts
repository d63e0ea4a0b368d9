import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { forgetLogin } from "./stored-login.ts"

/** `daypass logout`. */
export async function run(_: Arguments, io: CliIo): Promise<number> {
  io.out(forgetLogin(io) ? "Signed out. Commands that still run end what they got." : "You were not signed in.")
  return EXIT.ok
}
