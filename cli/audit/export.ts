import { impossible, misused, readArguments, reasonOf } from "../arguments.ts"
import { type CliIo, EXIT } from "../io.ts"

const USAGE = `Usage: daypass audit export --data DIR > FILE

Writes the audit trail of all units of a broker on Node, as JSON lines. DIR is the broker's data folder. The broker
may be running. Check the file with daypass audit verify.
Exit codes: 0 written, 2 the folder cannot be read.`

/** `daypass audit export`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, { data: { type: "string" } }, io)
  if (typeof read === "number") return read
  const { data } = read.options
  if (typeof data !== "string" || data === "") return misused("audit export needs --data", USAGE, io)
  if (read.positionals.length > 0) return misused("audit export takes options only", USAGE, io)

  try {
    // Imported here: on a Node without node:sqlite the import fails, and all other commands must still work.
    const { readAuditTrail } = await import("../../broker/adapters/node/audit-reader.ts")
    for (const line of readAuditTrail(data)) io.out(line)
    return EXIT.ok
  } catch (error) {
    if (reasonOf(error) === "ERR_UNKNOWN_BUILTIN_MODULE") {
      return impossible(`audit export needs Node 22.13 or newer, which has node:sqlite; this is ${process.version}`, io)
    }
    return impossible(
      `the ledger in ${data} cannot be read (${reasonOf(error)}): give --data the same folder as the broker`,
      io,
    )
  }
}
