import { KEYS_PATH } from "../../broker/wire/keys.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { OPERATOR_USAGE } from "../operate/options.ts"
import { runKeys } from "./command.ts"

const USAGE = `Usage: daypass keys retire KID --broker URL

Takes a signing key out of the key set before its time: one that does not sign any more, or the next one. Its tokens die as
soon as a verifier reads the keys again. The key that signs cannot be retired: rotate it. daypass keys list shows the ids.

${OPERATOR_USAGE}

Exit codes: 0 retired, 1 refused, 2 the arguments are wrong.`

/** `daypass keys retire`. */
export function run(args: readonly string[], io: CliIo): Promise<number> {
  return runKeys(args, io, { usage: USAGE, takes: [1, "the id of one key"] }, async ({ client, positionals }) => {
    const [kid = ""] = positionals
    await client.call({ method: "POST", path: `${KEYS_PATH}/retire`, json: { kid } })
    io.out(inert(`${kid} has left the key set.`))
    return EXIT.ok
  })
}
