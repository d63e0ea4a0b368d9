import { STOPS_PATH, type StopTarget } from "../../broker/wire/stops.ts"
import { misused } from "../arguments.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { asOperator } from "./as-operator.ts"
import { readTarget } from "./stop-target.ts"

/** `daypass resume`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const target = readTarget(given.positionals, given.options)
  if (typeof target === "string") return misused(target)
  return asOperator(given.options, io, async (client) => {
    const reason = String(given.options["reason"])
    await client.call({ method: "DELETE", path: STOPS_PATH, query: { ...target, reason } })
    io.out(`resumed: ${inert(wordsOf(target))}`)
    return EXIT.ok
  })
}

const wordsOf = ({ on, name, unit }: StopTarget): string =>
  [on, name, unit === undefined ? undefined : `of ${unit}`].filter((word) => word !== undefined).join(" ")
