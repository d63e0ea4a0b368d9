import { KEYS_PATH } from "../../broker/wire/keys.ts"
import { counted, printJson } from "../format.ts"
import { inert } from "../inert.ts"
import { type Command, EXIT } from "../io.ts"
import { asOperator } from "../operate/as-operator.ts"
import { keysReport, readAnswer, resealPage } from "./answers.ts"
import { walkPages } from "./walk.ts"
import { sealAgain } from "./words.ts"

/** `daypass keys reseal`. */
export const run: Command = ({ options }, io) =>
  asOperator(options, io, async (client) => {
    let ownKeys = 0
    const handles = await walkPages(async (after) => {
      const request = { method: "POST", path: `${KEYS_PATH}/reseal`, json: { after } } as const
      const page = readAnswer(await client.call(request), resealPage)
      ownKeys += page.own_keys
      return page
    })
    const { settings } = readAnswer(await client.call({ method: "GET", path: KEYS_PATH }), keysReport)
    const left = settings.filter(({ sealed_under }) => sealed_under !== "current").map(({ name }) => name)
    const { resealed, units, previous, other } = handles
    if (options["json"] === true) {
      printJson({ own_keys: ownKeys, handles: resealed, units, previous, other, settings: left }, io)
    } else {
      io.out(
        `Sealed anew: ${counted(ownKeys, "key")} and ${counted(resealed, "handle")}, in ${counted(units, "unit")}.`,
      )
      const damaged = previous + other
      if (damaged > 0) {
        io.out(
          `${counted(damaged, "handle")} cannot be opened: ${damaged === 1 ? "its credential lives" : "their credentials live"} until their time is over.`,
        )
      }
      if (left.length > 0) io.out("Seal these settings again, and set them:")
      for (const name of left) io.out(inert(`  ${name}: ${sealAgain(name)}`))
    }
    return previous + left.length === 0 ? EXIT.ok : EXIT.no
  })
