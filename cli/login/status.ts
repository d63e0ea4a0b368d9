import { misused, readArguments } from "../arguments.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { storedLogin } from "./stored-login.ts"
import { namesOf, personIn } from "./who.ts"

const USAGE = `Usage: daypass status

Says who is signed in, where, and until when. A policy for one person names the id.

Exit codes: 0 signed in, 1 not signed in, 2 the arguments are wrong.`

/** `daypass status`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, {}, io)
  if (typeof read === "number") return read
  if (read.positionals.length > 0) return misused("status takes no arguments", USAGE, io)
  const login = storedLogin(io)
  if (!login.ok) {
    io.err(inert(`daypass: ${login.fault}`))
    return EXIT.no
  }
  const { claims, issuer, clientId, broker, expiresAt } = login.value
  const person = personIn(claims, issuer, clientId)
  if (!person.ok) {
    io.err(inert(`daypass: no broker takes this login: in its token, ${person.fault}. Run daypass login again`))
    return EXIT.no
  }
  io.out(inert(`Signed in as ${namesOf(person.value)}`))
  io.out(inert(`at ${issuer}${broker === null ? "" : `, for the broker ${broker}`}`))
  io.out(`until ${expiresAt.toISOString()}`)
  return EXIT.ok
}
