import { KEYS_PATH, type RotationReport } from "../../broker/wire/keys.ts"
import { printJson } from "../format.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { OPERATOR_USAGE } from "../operate/options.ts"
import { keysReport, readAnswer, rotationReport } from "./answers.ts"
import { runKeys } from "./command.ts"
import { verifierLines } from "./words.ts"

const USAGE = `Usage: daypass keys rotate --broker URL [--now] [--json]

Takes the next step of a rotation of the broker's signing keys. First it publishes the next key. A day later, when every cloud
has read the keys again, it lets that key sign; the broker does this step by itself, too. Jobs notice nothing.

  --now                  for a stolen key: replaces all keys at once. The old ones leave the key set, so their tokens die as
                         soon as a verifier reads the keys again. The price: until then, a verifier may refuse the new key's
                         tokens, and jobs that need it fail. Operators' tokens of before are refused at once
  --json                 prints an object
${OPERATOR_USAGE}

Exit codes: 0 the step is done, or is not due yet; 1 refused, 2 the arguments are wrong.`

/** `daypass keys rotate`. */
export function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = { now: { type: "boolean" }, json: { type: "boolean" } } as const
  return runKeys(args, io, { usage: USAGE, options }, async ({ client, options }) => {
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
}

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
