import { KEYS_PATH } from "../../broker/wire/keys.ts"
import { inert } from "../inert.ts"
import { type Command, EXIT } from "../io.ts"
import { asOperator } from "../operate/as-operator.ts"

/** `daypass keys retire`. */
export const run: Command = ({ options, positionals }, io) =>
  asOperator(options, io, async (client) => {
    const [kid = ""] = positionals
    await client.call({ method: "POST", path: `${KEYS_PATH}/retire`, json: { kid } })
    io.out(inert(`${kid} has left the key set.`))
    return EXIT.ok
  })
