import { open, stat } from "node:fs/promises"
import { ActionError } from "../../action/failure.ts"
import type { FiledRecord } from "../../analysis/records/record-lines.ts"
import { impossible, reasonOf } from "../arguments.ts"
import { exportedBy } from "../audit/broker-export.ts"
import { exportedFolder } from "../audit/exported-folder.ts"
import type { Options } from "../exec/options.ts"
import { report } from "../exec/report.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import type { OperatorClient } from "../operate/client.ts"
import { operatorOptions } from "../operate/options.ts"
import { progressOf } from "../terminal.ts"
import { linesOf, RecordFault } from "./lines.ts"
import { isWithin, type Window } from "./window.ts"

/** A record: an export in a file, the folder of a pushed export, standard input (`-`), or a broker by its URL. */
export interface RecordPlace {
  readonly from: string
  /** The command's options: how to sign in at a broker. */
  readonly options: Options
  /** A client of the broker that is open already. */
  readonly client?: OperatorClient
}

/** How much of a file is read at once. */
const PIECE_BYTES = 1 << 18

/** The record that a command's only argument names, or its broker; null when neither does, or both do. */
export function placeOf({ positionals, options }: Arguments, { env }: CliIo): string | null {
  const [file, ...others] = positionals
  const { broker } = options
  if (others.length > 0 || (file !== undefined && broker !== undefined)) return null
  const place = file ?? broker ?? env["DAYPASS_BROKER"]
  return typeof place === "string" && place !== "" ? place : null
}

export const isBroker = (from: string): boolean => /^https?:\/\//.test(from)

/** How messages name a record. */
export const nameOf = (from: string): string => (from === "-" ? "standard input" : from)

/**
 * Hands each record within the window to `take`.
 *
 * @throws {RecordFault} when it cannot be read, or is no whole export
 * @throws {ActionError} when a broker does not give it
 */
export async function eachRecord(
  place: RecordPlace,
  window: Window,
  io: CliIo,
  take: (record: FiledRecord) => void,
): Promise<void> {
  for await (const lines of linesOf(piecesOf(place, window.since, io), nameOf(place.from))) {
    for (const line of lines) {
      if (line.kind === "record" && isWithin(line.record.at, window)) take(line)
    }
  }
}

/** The bytes of a record. `since`: a broker leaves out older records. @throws as `eachRecord` */
export async function* piecesOf(
  { from, options, client }: RecordPlace,
  since: string | null,
  io: CliIo,
): AsyncGenerator<Uint8Array> {
  const window = since === null ? {} : { since }
  if (from === "-") yield* io.input()
  else if (isBroker(from)) yield* inPieces(exportedBy(signInOptions(from, options), window, io, client))
  else yield* ofFile(from, io)
}

/** Prints why a record cannot be read, and gives the exit code. Another error is a bug, and thrown again. */
export function unreadable(error: unknown, io: CliIo): number {
  if (error instanceof RecordFault) return impossible(error.message, io)
  if (!(error instanceof ActionError)) throw error
  report(error)
  return error.code === "input_invalid" ? EXIT.usage : EXIT.no
}

/** The options with which the operator's client signs in, and no other of the command's. */
export const signInOptions = (broker: string, options: Options): Options => ({ ...operatorOptions(options), broker })

async function* inPieces(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let text = ""
  for await (const line of lines) {
    text += `${line}\n`
    if (text.length < PIECE_BYTES) continue
    yield Buffer.from(text)
    text = ""
  }
  yield Buffer.from(text)
}

async function* ofFile(path: string, io: CliIo): AsyncGenerator<Uint8Array> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) {
      yield* inPieces(exportedFolder(path))
      return
    }
    const progress = progressOf(io, "reading the record", found.size)
    const file = await open(path)
    try {
      for (;;) {
        // All four: Node 20.0 reads nothing when only the first is given.
        const piece = new Uint8Array(PIECE_BYTES)
        const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null)
        if (bytesRead === 0) return
        progress.add(bytesRead)
        yield piece.subarray(0, bytesRead)
      }
    } finally {
      progress.end()
      await file.close()
    }
  } catch (error) {
    if (error instanceof RecordFault) throw error
    throw new RecordFault(`${path} cannot be read: ${reasonOf(error)}`)
  }
}
