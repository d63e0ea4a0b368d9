import { STOPS_PATH, type StopTarget } from "../../broker/wire/stops.ts"
import { misused, readArguments } from "../arguments.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { OPERATOR_OPTIONS, OPERATOR_USAGE } from "./options.ts"
import { asOperator, readTarget, TARGET_USAGE } from "./stop-target.ts"

const USAGE = `Usage: daypass resume WHAT --broker URL --reason TEXT [--unit ISSUER:NAME]

Lifts the stop that was ordered with the same words. daypass stop list shows the stops in force.

${TARGET_USAGE}
  --reason TEXT          recorded
${OPERATOR_USAGE}

Exit codes: 0 lifted, 1 refused, or there is no such stop, 2 the arguments are wrong.`

/** `daypass resume`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const own = { ...OPERATOR_OPTIONS, reason: { type: "string" }, unit: { type: "string" } } as const
  const read = readArguments(args, USAGE, own, io)
  if (typeof read === "number") return read
  const target = readTarget(read.positionals, read.options)
  if (typeof target === "string") return misused(target, USAGE, io)
  return asOperator(read.options, io, async (client) => {
    const reason = String(read.options["reason"])
    await client.call({ method: "DELETE", path: STOPS_PATH, query: { ...target, reason } })
    io.out(`resumed: ${inert(wordsOf(target))}`)
    return EXIT.ok
  })
}

const wordsOf = ({ on, name, unit }: StopTarget): string =>
  [on, name, unit === undefined ? undefined : `of ${unit}`].filter((word) => word !== undefined).join(" ")
