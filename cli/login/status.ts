import { complain } from "../arguments.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { storedLogin } from "./stored-login.ts"
import { namesOf, personIn } from "./who.ts"

/** `daypass status`. */
export async function run(_: Arguments, io: CliIo): Promise<number> {
  const login = storedLogin(io)
  if (!login.ok) {
    complain(login.fault, io)
    return EXIT.no
  }
  const { claims, issuer, clientId, broker, expiresAt } = login.value
  const person = personIn(claims, issuer, clientId)
  if (!person.ok) {
    complain(`no broker takes this login: in its token, ${person.fault}. Run daypass login again`, io)
    return EXIT.no
  }
  io.out(inert(`Signed in as ${namesOf(person.value)}`))
  io.out(inert(`at ${issuer}${broker === null ? "" : `, for the broker ${broker}`}`))
  io.out(`until ${expiresAt.toISOString()}`)
  return EXIT.ok
}
