import { KEYS_PATH, type RotationReport } from "../../broker/wire/keys.ts"
import { printJson } from "../format.ts"
import { inert } from "../inert.ts"
import { type Command, EXIT } from "../io.ts"
import { asOperator } from "../operate/as-operator.ts"
import { keysReport, readAnswer, rotationReport } from "./answers.ts"
import { verifierLines } from "./words.ts"

/** `daypass keys rotate`. */
export const run: Command = ({ options }, io) =>
  asOperator(options, io, async (client) => {
    const now = options["now"] === true
    // Asked before: afterwards, this token of a replaced key opens nothing.
    const { verifiers } = readAnswer(await client.call({ method: "GET", path: KEYS_PATH }), keysReport)
    const reply = await client.call({ method: "POST", path: `${KEYS_PATH}/rotate`, json: { now } })
    const rotation = readAnswer(reply, rotationReport)
    if (options["json"] === true) printJson({ ...rotation, verifiers }, io)
    else
      for (const line of [saidOf(rotation), "Who verifies the broker's tokens:", ...verifierLines(verifiers)])
        io.out(inert(line))
    return EXIT.ok
  })

function saidOf({ outcome, kid, signs_from }: RotationReport): string {
  switch (outcome) {
    case "published":
      return `Published ${kid}. It signs from ${signs_from}, by itself.`
    case "waiting":
      return `Nothing changed: ${kid} is published, and signs from ${signs_from}, by itself. To replace all keys at once: --now`
    case "promoted":
      return `${kid} signs from now on. The key before it leaves the key set when its last token has expired.`
    case "replaced":
      return `${kid} signs, and all other keys have left the key set. Other instances of the broker follow within a minute.`
  }
}
