import { KEYS_PATH } from "../../broker/wire/keys.ts"
import { counted, printJson } from "../format.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { OPERATOR_USAGE } from "../operate/options.ts"
import { keysReport, readAnswer, resealPage } from "./answers.ts"
import { runKeys } from "./command.ts"
import { walkPages } from "./walk.ts"
import { sealAgain } from "./words.ts"

const USAGE = `Usage: daypass keys reseal --broker URL [--json]

After the deployment key was changed: seals under DAYPASS_KEK what is still sealed under DAYPASS_KEK_PREVIOUS, in the storage of
the broker: its signing keys, the key of its log of heads, and the revocation handles of open leases. It names the settings that are to be sealed again by
hand. It can be repeated, and jobs can run meanwhile.

  --json                 prints an object
${OPERATOR_USAGE}

Exit codes: 0 nothing is left under the previous key, 1 something is left, or the call was refused, 2 the arguments are wrong.`

/** `daypass keys reseal`. */
export function run(args: readonly string[], io: CliIo): Promise<number> {
  return runKeys(args, io, { usage: USAGE, options: { json: { type: "boolean" } } }, async ({ client, options }) => {
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
}
