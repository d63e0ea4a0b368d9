import { randomUUID } from "node:crypto"
import { open, rename, rm } from "node:fs/promises"
import { ActionError } from "../../action/failure.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { impossible, misused, reasonOf } from "../arguments.ts"
import type { Options } from "../exec/options.ts"
import { report } from "../exec/report.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { operatorOptions } from "../operate/options.ts"
import { windowOf } from "../record/window.ts"
import { progressOf } from "../terminal.ts"
import { exportedBy } from "./broker-export.ts"
import { EXPORT_FORMATS, formatted } from "./formats.ts"

/** `daypass audit export`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const { options } = given
  const source = sourceOf(options, io)
  if (typeof source === "string") return misused(source)
  const format = EXPORT_FORMATS.find((one) => one === options["format"]) ?? "jsonl"
  const lines = () => formatted(format, source())
  const { out } = options
  if (out === "") return misused("--out is empty")
  try {
    if (typeof out === "string") await writeWhole(out, lines(), io)
    else for await (const line of lines()) io.out(line)
    return EXIT.ok
  } catch (error) {
    if (error instanceof BrokerError) return impossible(error.detail, io)
    if (error instanceof Unreadable) return impossible(error.message, io)
    if (error instanceof ActionError) {
      report(error)
      return error.code === "input_invalid" ? EXIT.usage : EXIT.no
    }
    return impossible(`the export cannot be written (${reasonOf(error)})`, io)
  }
}

/** Our own sentence about a storage that cannot be read. */
class Unreadable extends Error {}

type Lines = AsyncIterable<string>

/** What is exported, not read yet; or what is wrong with the options. */
function sourceOf(options: Options, io: CliIo): string | (() => Lines) {
  const { data, since, unit, checkpoint } = options
  const isStored = data !== undefined || options["store"] !== undefined
  const fromEnvironment = isStored ? undefined : io.env["DAYPASS_STORE"]
  if (options["broker"] !== undefined || (!isStored && !fromEnvironment && io.env["DAYPASS_BROKER"])) {
    if (isStored) return "audit export takes --broker, --data or --store"
    const asked = windowOf({ since }, io.now())
    if (typeof asked === "string") return asked
    if (since !== undefined && checkpoint !== undefined) return "--checkpoint needs all records: leave out --since"
    const window = {
      ...(asked.since !== null && { since: asked.since }),
      ...(typeof unit === "string" && { unit }),
      ...(typeof checkpoint === "string" && { checkpoint }),
    }
    return () => exportedBy(operatorOptions(options), window, io)
  }
  if ((since ?? unit ?? checkpoint) !== undefined) return "--since, --unit and --checkpoint need --broker"
  const store = options["store"] ?? fromEnvironment
  if (typeof store === "string" && store !== "") {
    if (data !== undefined) return "audit export takes --data or --store"
    return () => ofDatabase(store, options["store"] !== undefined, io)
  }
  if (typeof data !== "string" || data === "") return "audit export needs --broker, --data or --store"
  return () => ofFolder(data)
}

async function* ofFolder(data: string): AsyncGenerator<string> {
  try {
    // Imported here: on a Node without node:sqlite the import fails, and all other commands must still work.
    const { readAuditTrail } = await import("../../broker/adapters/node/audit-reader.ts")
    yield* readAuditTrail(data)
  } catch (error) {
    throw new Unreadable(
      reasonOf(error) === "ERR_UNKNOWN_BUILTIN_MODULE"
        ? `audit export needs Node 22.13 or newer, which has node:sqlite; this is ${process.version}`
        : `the ledger in ${data} cannot be read (${reasonOf(error)}): give --data the same folder as the broker`,
    )
  }
}

/** `isOption`: the URL is from the command line, and not from the environment. */
async function* ofDatabase(store: string, isOption: boolean, io: CliIo): AsyncGenerator<string> {
  const { optionFault, readDatabaseAddress } = await import("../../broker/adapters/postgres/address.ts")
  const { readAuditTrail } = await import("../../broker/adapters/postgres/audit-export.ts")
  const fault = isOption ? optionFault("--store", store) : null
  if (fault !== null) throw new Unreadable(fault)
  const address = readDatabaseAddress(store, io.env["PGPASSWORD"])
  if (!address.ok) throw new Unreadable(`the URL of the database ${address.fault}`)
  yield* readAuditTrail(address.value)
}

/** Writes a file that has its name only when it is whole. */
async function writeWhole(path: string, lines: Lines, io: CliIo): Promise<void> {
  const progress = progressOf(io, "lines exported", null)
  const unfinished = `${path}.${randomUUID()}.part`
  const file = await open(unfinished, "wx", 0o600)
  try {
    let text = ""
    for await (const line of lines) {
      text += `${line}\n`
      progress.add(1)
      if (text.length < CHUNK_CHARACTERS) continue
      await file.appendFile(text)
      text = ""
    }
    await file.appendFile(text)
    await file.sync()
    await file.close()
    await rename(unfinished, path)
  } catch (error) {
    await file.close().catch(() => {})
    await rm(unfinished, { force: true })
    throw error
  } finally {
    progress.end()
  }
}

const CHUNK_CHARACTERS = 1 << 20
