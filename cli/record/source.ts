import { open } from "node:fs/promises"
import type { FiledRecord, RecordLine } from "../../analysis/records/record-lines.ts"
import { reasonOf } from "../arguments.ts"
import type { CliIo } from "../io.ts"
import { linesOf, RecordFault } from "./lines.ts"
import { isWithin, type Window } from "./window.ts"

/** How much of a file is read at once. */
const PIECE_BYTES = 1 << 18

/**
 * The record that an argument names: an export in a file, or `-` for standard input. The whole export is read; records outside of
 * the window are left out.
 *
 * @throws {RecordFault} when it cannot be read, or is no whole export
 */
export async function* recordsOf(from: string, window: Window, io: CliIo): AsyncGenerator<readonly RecordLine[]> {
  for await (const lines of linesOf(piecesOf(from, io), nameOf(from))) {
    yield lines.filter((line) => line.kind !== "record" || isWithin(line.record.at, window))
  }
}

/** Hands each record to `take`. */
export async function eachRecord(
  from: string,
  window: Window,
  io: CliIo,
  take: (record: FiledRecord) => void,
): Promise<void> {
  for await (const lines of recordsOf(from, window, io)) {
    for (const line of lines) if (line.kind === "record") take(line)
  }
}

/** How messages name a record. */
export const nameOf = (from: string): string => (from === "-" ? "standard input" : from)

/** The bytes of a record. @throws {RecordFault} */
export async function* piecesOf(path: string, io: CliIo): AsyncGenerator<Uint8Array> {
  if (path === "-") {
    yield* io.input()
    return
  }
  try {
    const file = await open(path)
    try {
      for (;;) {
        // All four: Node 20.0 reads nothing when only the first is given.
        const piece = new Uint8Array(PIECE_BYTES)
        const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null)
        if (bytesRead === 0) return
        yield piece.subarray(0, bytesRead)
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof RecordFault) throw error
    throw new RecordFault(`${path} cannot be read: ${reasonOf(error)}`)
  }
}
