import { ActionError } from "../../action/failure.ts"
import { STOP_KINDS, type StopTarget } from "../../broker/wire/stops.ts"
import type { Options } from "../exec/options.ts"
import { report } from "../exec/report.ts"
import { type CliIo, EXIT } from "../io.ts"
import { type OperatorClient, openOperator } from "./client.ts"

// What the commands stop and resume have in common.

/** The lines about what can be stopped in a command's usage. */
export const TARGET_USAGE = `  WHAT                   all | issuer NAME | owner ISSUER:NAME | unit ISSUER:NAME | connection NAME | grant NAME
                         (an owner and a unit also by their ids, as ISSUER:ID)
  --unit ISSUER:NAME     with grant: the grant of this unit only`

/** What to stop or to resume, or what is wrong with the words. The broker knows which names exist. */
export function readTarget([on = "", name, ...more]: readonly string[], options: Options): StopTarget | string {
  const kind = STOP_KINDS.find((known) => known === on)
  const { reason, unit } = options
  if (kind === undefined) return `name one of ${STOP_KINDS.join(", ")}`
  if (more.length > 0 || (kind === "all" && name !== undefined)) return "there are too many names"
  if (kind !== "all" && (name === undefined || name === "")) return `name the ${kind}`
  if (unit !== undefined && kind !== "grant") return "--unit goes with grant only"
  if (typeof reason !== "string" || reason.trim() === "") return "--reason is required: jobs and auditors read it"
  return { on: kind, ...(name === undefined ? {} : { name }), ...(typeof unit === "string" ? { unit } : {}) }
}

/** Signs the operator in, and does `act`. Resolves to the exit code. */
export async function asOperator(
  options: Options,
  io: CliIo,
  act: (client: OperatorClient) => Promise<number>,
): Promise<number> {
  try {
    return await act(await openOperator(options, io))
  } catch (thrown) {
    report(thrown)
    return thrown instanceof ActionError && thrown.code === "input_invalid" ? EXIT.usage : EXIT.no
  }
}
