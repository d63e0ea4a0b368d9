import { createReadStream } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { ExportWriter } from "../../broker/core/audit-export.ts"

const OBJECT = /^([0-9]{12})-([0-9]{12})\.jsonl$/
const LEDGER = /^[0-9a-f]{32}$/

/**
 * The lines of one export file, made of the objects that a broker pushed into a folder, or that were copied from a bucket: by
 * ledger, in order. An object that a lost place made the broker write again is passed over where it repeats.
 *
 * It corrects nothing: a missing object is a gap, and a head behind its records is the end. The verifier tells the rest.
 *
 * @throws {Error} when the folder cannot be read; `EISDIR` for one that is no export
 */
export async function* exportedFolder(folder: string): AsyncGenerator<string> {
  const objects = await objectsIn(folder)
  const writer = new ExportWriter()
  for (const id of [...objects.keys()].sort()) {
    const head = await headOf(folder, id)
    let last = 0
    for (const { path, first, to } of objects.get(id) ?? []) {
      if (to <= last || (head !== null && first > head.seq)) continue
      let isFirst = true
      for await (const line of linesOf(path)) {
        if (isFirst) {
          isFirst = false
          if (last === 0) yield line
          continue
        }
        const seq = seqOf(line)
        // Written after the head: the export goes on while it is read.
        if (seq !== null && (seq <= last || (head !== null && seq > head.seq))) continue
        yield line
        last = seq ?? last
      }
    }
    if (head !== null) yield writer.head(head)
  }
  yield writer.end()
}

interface ObjectFile {
  readonly path: string
  readonly first: number
  readonly to: number
}

/** Ledger -> its objects, in the order of their records; of two with the same first record, the shorter one first. */
async function objectsIn(folder: string): Promise<ReadonlyMap<string, readonly ObjectFile[]>> {
  // Any other folder, such as a home, could take minutes to walk.
  if (!(await namesIn(folder, /^heads$/)).includes("heads")) throw Object.assign(new Error(), { code: "EISDIR" })
  const objects = new Map<string, ObjectFile[]>()
  for (const year of await namesIn(folder, /^[0-9]{4}$/)) {
    for (const month of await namesIn(join(folder, year), /^[0-9]{2}$/)) {
      for (const day of await namesIn(join(folder, year, month), /^[0-9]{2}$/)) {
        const place = join(folder, year, month, day)
        for (const id of await namesIn(place, LEDGER)) {
          const found = (await namesIn(join(place, id), OBJECT)).map((name) => objectOf(join(place, id), name))
          objects.set(id, [...(objects.get(id) ?? []), ...found])
        }
      }
    }
  }
  for (const list of objects.values()) list.sort((one, other) => one.first - other.first || one.to - other.to)
  return objects
}

const namesIn = async (folder: string, form: RegExp) => (await readdir(folder)).filter((name) => form.test(name)).sort()

function objectOf(folder: string, name: string): ObjectFile {
  const [, first = "", to = ""] = OBJECT.exec(name) ?? []
  return { path: join(folder, name), first: Number(first), to: Number(to) }
}

/** Null without a head that can be read: the ledger then has no closing line, which the verifier tells. */
async function headOf(folder: string, id: string): Promise<{ readonly seq: number; readonly chain: string } | null> {
  try {
    const { head } = JSON.parse(await readFile(join(folder, "heads", `${id}.json`), "utf8"))
    return { seq: Number(head.seq), chain: String(head.chain) }
  } catch {
    return null
  }
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Number.POSITIVE_INFINITY })
}

/** Null for a line that is no record: the verifier tells what it is. */
function seqOf(line: string): number | null {
  try {
    const seq: unknown = JSON.parse(line)?.record?.seq
    return typeof seq === "number" ? seq : null
  } catch {
    return null
  }
}
