import type { ParseArgsConfig } from "node:util"
import { ActionError } from "../../action/failure.ts"
import { misused, readArguments } from "../arguments.ts"
import type { Options } from "../exec/options.ts"
import { report } from "../exec/report.ts"
import { type CliIo, EXIT } from "../io.ts"
import { type OperatorClient, openOperator } from "../operate/client.ts"
import { OPERATOR_OPTIONS } from "../operate/options.ts"

/** What a command about keys is given. */
export interface KeysCall {
  readonly client: OperatorClient
  readonly options: Options
  readonly positionals: readonly string[]
}

interface Form {
  readonly usage: string
  readonly options?: NonNullable<ParseArgsConfig["options"]>
  /** How many arguments it takes, and what they are. */
  readonly takes?: readonly [count: number, what: string]
}

/** Reads the arguments, signs the operator in, and does `work`. Resolves to the exit code. */
export async function runKeys(
  args: readonly string[],
  io: CliIo,
  { usage, options = {}, takes = [0, "no arguments"] }: Form,
  work: (call: KeysCall) => Promise<number>,
): Promise<number> {
  const read = readArguments(args, usage, { ...OPERATOR_OPTIONS, ...options }, io)
  if (typeof read === "number") return read
  if (read.positionals.length !== takes[0]) return misused(`it takes ${takes[1]}`, usage, io)
  try {
    const client = await openOperator(read.options, io)
    return await work({ client, options: read.options, positionals: read.positionals })
  } catch (thrown) {
    report(thrown)
    return thrown instanceof ActionError && thrown.code === "input_invalid" ? EXIT.usage : EXIT.no
  }
}
