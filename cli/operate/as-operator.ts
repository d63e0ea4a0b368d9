import { ActionError } from "../../action/failure.ts"
import type { Options } from "../exec/options.ts"
import { report } from "../exec/report.ts"
import { type CliIo, EXIT } from "../io.ts"
import { type OperatorClient, openOperator } from "./client.ts"

/** Signs the operator in, and does `act`. Resolves to the exit code: a refusal of the broker is "no". */
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
