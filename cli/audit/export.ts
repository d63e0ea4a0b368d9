import { BrokerError } from "../../broker/core/errors.ts"
import { impossible, misused, readArguments, reasonOf } from "../arguments.ts"
import { type CliIo, EXIT } from "../io.ts"
import { EXPORT_FORMATS, formatter } from "./formats.ts"

const USAGE = `Usage: daypass audit export (--data DIR | --store URL) [--format jsonl|ocsf|cef|otlp] > FILE

Writes the audit trail of all units of a broker on Node, as JSON lines. DIR is the broker's data folder. URL is the
database of several brokers, as postgres://USER@HOST/DATABASE, with the password in PGPASSWORD; a whole URL can be in
DAYPASS_STORE. The brokers may be running. Check the file with daypass audit verify.
--format writes records for other systems, one in a line: ocsf, cef, or otlp (bodies of requests to a collector). Only jsonl,
the default, can be verified.
Exit codes: 0 written, 2 the folder or the database cannot be read.`

/** `daypass audit export`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = { data: { type: "string" }, store: { type: "string" }, format: { type: "string" } } as const
  const read = readArguments(args, USAGE, options, io)
  if (typeof read === "number") return read
  const format = EXPORT_FORMATS.find((one) => one === (read.options["format"] ?? "jsonl"))
  if (format === undefined) return misused(`--format is one of ${EXPORT_FORMATS.join(", ")}`, USAGE, io)
  const { line, end } = formatter(format, io.out)
  const code = await exportAll(read, { ...io, out: line })
  if (code === EXIT.ok) end()
  return code
}

async function exportAll(read: Exclude<ReturnType<typeof readArguments>, number>, io: CliIo): Promise<number> {
  const { data } = read.options
  if (read.positionals.length > 0) return misused("audit export takes options only", USAGE, io)
  const store = read.options["store"] ?? (data === undefined ? io.env["DAYPASS_STORE"] : undefined)
  if (typeof store === "string" && store !== "") {
    if (data !== undefined) return misused("audit export takes --data or --store", USAGE, io)
    return exportDatabase(store, read.options["store"] !== undefined, io)
  }
  if (typeof data !== "string" || data === "") return misused("audit export needs --data or --store", USAGE, io)

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

/** `isOption`: the URL is from the command line, and not from the environment. */
async function exportDatabase(store: string, isOption: boolean, io: CliIo): Promise<number> {
  const { optionFault, readDatabaseAddress } = await import("../../broker/adapters/postgres/address.ts")
  const { readAuditTrail } = await import("../../broker/adapters/postgres/audit-export.ts")
  const fault = isOption ? optionFault("--store", store) : null
  if (fault !== null) return misused(fault, USAGE, io)
  const address = readDatabaseAddress(store, io.env["PGPASSWORD"])
  if (!address.ok) return misused(`the URL of the database ${address.fault}`, USAGE, io)
  try {
    for await (const line of readAuditTrail(address.value)) io.out(line)
    return EXIT.ok
  } catch (error) {
    if (error instanceof BrokerError) return impossible(error.detail, io)
    throw error
  }
}
