import { type RecordLine, RecordLines } from "../../analysis/records/record-lines.ts"
import { MAX_RECORD_BYTES } from "../../broker/core/audit-chain.ts"

/** A record that cannot be read: which line, and why. The message quotes nothing of it. */
export class RecordFault extends Error {}

/** A line has a record and two hashes. Characters are at most as many as bytes. */
const MAX_LINE_CHARACTERS = MAX_RECORD_BYTES + 1024

/**
 * Reads an export in the pieces in which it comes, and gives its lines in batches. Keeps one piece in memory.
 *
 * @throws {RecordFault} for a line that is no line of an export, and for an export that was cut
 */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<readonly RecordLine[]> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const lines = new RecordLines()
  let number = 0
  let rest = ""
  const taken = (text: string): RecordLine => {
    number += 1
    const line = lines.take(text)
    if (!line.ok) throw new RecordFault(`${name}:${number}: ${line.fault}`)
    return line.value
  }
  for await (const piece of pieces) {
    const text = rest + decoded(decoder, piece, name, number)
    const ends = text.lastIndexOf("\n")
    rest = text.slice(ends + 1)
    if (rest.length > MAX_LINE_CHARACTERS) {
      throw new RecordFault(`${name}:${number + 1}: the line is longer than any record can be`)
    }
    if (ends >= 0) yield text.slice(0, ends).split("\n").map(taken)
  }
  if (rest !== "") throw new RecordFault(`${name}:${number + 1}: the export is cut in the middle of a line`)
  if (!lines.ended) {
    throw new RecordFault(`${name}: the export is cut: its closing line is missing. Export it again, to its end`)
  }
}

function decoded(decoder: InstanceType<typeof TextDecoder>, piece: Uint8Array, name: string, line: number): string {
  try {
    return decoder.decode(piece, { stream: true })
  } catch {
    throw new RecordFault(`${name}:${line + 1}: the export is not UTF-8`)
  }
}
