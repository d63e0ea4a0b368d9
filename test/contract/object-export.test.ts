import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { sha256 } from "@noble/hashes/sha2.js"
import fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import { createFolderSink } from "../../broker/adapters/node/export-folder.ts"
import { chainRecord, chainStart } from "../../broker/core/audit-chain.ts"
import type { AuditRecord } from "../../broker/core/audit-record.ts"
import { headName, ledgerId } from "../../broker/core/exports/objects.ts"
import { exportObjects } from "../../broker/operate/exports/object-export.ts"
import type { ExportObject, ExportSink } from "../../broker/ports/export-sink.ts"
import type { ChainedRecord } from "../../broker/ports/ledger.ts"
import { runCli } from "../cli/run-cli.ts"
import { draft } from "../core/audit-fixture.ts"

const LEDGER = { issuerUrl: "https://token.actions.githubusercontent.com", unitId: "41" }
const NAME = { issuer: LEDGER.issuerUrl, unit_id: LEDGER.unitId }
const folders: string[] = []
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-export-"))
  folders.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Records with right hashes; `perDay` of them on each day. */
function trail(count: number, perDay: number): ChainedRecord[] {
  let chain = chainStart(NAME, sha256)
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(Date.UTC(2026, 10, 20 + Math.floor(index / perDay), 10, 0, index % 60)).toISOString()
    const record = { ...draft({ at, reason: `ü ${index}` }), seq: index + 1 } as AuditRecord
    const link = chainRecord(chain, record, sha256)
    if (!link.ok) throw new Error(link.fault)
    chain = link.value.chain
    return { record, leaf: link.value.leaf, chain }
  })
}

const RECORDS = trail(40, 15)

const memoryMarks = () => {
  const marks = new Map<string, string>()
  return {
    read: async (name: string) => marks.get(name) ?? null,
    write: async (name: string, value: string) => void marks.set(name, value),
  }
}

/** A sink that forbids what Object Lock would: other bytes under a name that is final. Fails at the calls named. */
class StrictSink implements ExportSink {
  readonly objects = new Map<string, string>()
  readonly failures: Set<number>
  calls = 0

  constructor(failures: readonly number[] = []) {
    this.failures = new Set(failures)
  }

  async put({ name, bytes, isFinal }: ExportObject): Promise<void> {
    const text = new TextDecoder().decode(bytes)
    const call = this.calls++
    // Odd calls fail after the object was written: the answer was lost.
    if (this.failures.has(call) && call % 2 === 0) throw new Error("not written")
    if (isFinal && this.objects.has(name) && this.objects.get(name) !== text) throw new Error(`${name} changed`)
    this.objects.set(name, text)
    if (this.failures.has(call)) throw new Error("answer lost")
  }
}

/** What the follower does: batches from its place, which moves only when the batch was taken. */
async function follow(
  sink: ExportSink,
  marks: ReturnType<typeof memoryMarks>,
  sizes: readonly number[],
): Promise<void> {
  let place = 0
  let least = 1
  for (let turn = 0; place < RECORDS.length; turn++) {
    const records = RECORDS.slice(place, place + Math.max(least, sizes[turn % sizes.length] ?? 1))
    try {
      await exportObjects({ ledger: LEDGER, records }, { name: "archive", format: "jsonl", sink, marks })
      place += records.length
      least = 1
    } catch {
      // The same records again, and perhaps more behind them.
      least = records.length
    }
  }
}

async function verify(folder: string): Promise<string> {
  const { code, out, err } = await runCli("audit", "verify", folder)
  return `${code} ${out}${err}`
}

function writeAll(folder: string, objects: ReadonlyMap<string, string>): void {
  for (const [name, text] of objects) {
    mkdirSync(join(folder, dirname(name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

describe("an export of objects", () => {
  it("has each record once, in objects that never change, whatever fails and however many records come again", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(60), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }),
        async (failures, sizes) => {
          const sink = new StrictSink(failures)
          await follow(sink, memoryMarks(), sizes)
          const seqs = [...sink.objects]
            .filter(([name]) => !name.startsWith("heads/"))
            .sort()
            .flatMap(([, text]) => [...text.matchAll(/"seq":(\d+),/g)].map(([, seq]) => Number(seq)))
          expect(seqs).toEqual(RECORDS.map(({ record }) => record.seq))
          expect(JSON.parse(sink.objects.get(headName(NAME)) ?? "{}").head).toEqual({
            seq: 40,
            chain: RECORDS.at(-1)?.chain,
          })
        },
      ),
    )
  })

  it("has names of days, ledgers and numbers, in the order of the records", async () => {
    const sink = new StrictSink()
    await follow(sink, memoryMarks(), [20])
    const id = ledgerId(NAME)
    expect([...sink.objects.keys()].sort()).toEqual([
      `2026/11/20/${id}/000000000001-000000000015.jsonl`,
      `2026/11/21/${id}/000000000016-000000000020.jsonl`,
      `2026/11/21/${id}/000000000021-000000000030.jsonl`,
      `2026/11/22/${id}/000000000031-000000000040.jsonl`,
      `heads/${id}.json`,
    ])
  })

  it("verifies as a folder, and no longer after any object is changed, removed, or cut", async () => {
    const sink = new StrictSink()
    await follow(sink, memoryMarks(), [7, 20])
    const folder = newFolder()
    writeAll(folder, sink.objects)
    expect(await verify(folder)).toMatch(/^0 unit "41".*: 40 records, head /)
    const names = [...sink.objects.keys()].filter((name) => !name.startsWith("heads/")).sort()
    for (const name of names) {
      const text = readFileSync(join(folder, name), "utf8")
      writeFileSync(join(folder, name), text.replace("allowed", "allowEd").replace(/"reason":"ü/, '"reason":"u'))
      expect(await verify(folder), name).toMatch(/^1 .*changed/)
      rmSync(join(folder, name))
      expect(await verify(folder), name).toMatch(/^1 /)
      writeFileSync(join(folder, name), text)
    }
    // A head that says less than the records is the end.
    writeFileSync(join(folder, headName(NAME)), `{"head":{"chain":"${RECORDS[9]?.chain}","seq":10}}`)
    expect(await verify(folder)).toMatch(/^0 .*: 10 records/)
    rmSync(join(folder, headName(NAME)))
    expect(await verify(folder)).toMatch(/^1 /)
  })

  it("verifies also when a lost place made the broker write the whole record again, cut elsewhere", async () => {
    const sink = new StrictSink()
    await follow(sink, memoryMarks(), [7, 20])
    await follow(sink, memoryMarks(), [12])
    const folder = newFolder()
    writeAll(folder, sink.objects)
    expect(await verify(folder)).toMatch(/^0 .*: 40 records/)
  })

  it("keeps its folder whole through kill -9 at any moment", async () => {
    const folder = newFolder()
    const program = join(folder, "..", `${folder.split("/").at(-1)}.ts`)
    folders.push(program)
    writeFileSync(
      program,
      `import { createFolderSink } from ${JSON.stringify(join(process.cwd(), "broker/adapters/node/export-folder.ts"))}
const sink = createFolderSink(${JSON.stringify(folder)})
const bytes = new Uint8Array(4_000_000).fill(97)
process.stdout.write("begun")
for (let n = 0; ; n = (n + 1) % 3) await sink.put({ name: \`2026/11/20/x/\${n}.jsonl\`, bytes, contentType: "", isFinal: true })
`,
    )
    for (let kill = 0; kill < 4; kill++) {
      const child = spawn(process.execPath, ["--no-warnings", program], { stdio: ["ignore", "pipe", "inherit"] })
      await new Promise((resolve) => child.stdout.once("data", resolve))
      await new Promise((resolve) => setTimeout(resolve, 20 + kill * 23))
      child.kill("SIGKILL")
      await new Promise((resolve) => child.once("exit", resolve))
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      for (const { name, parentPath } of files.filter((entry) => !entry.name.startsWith("."))) {
        expect(readFileSync(join(parentPath, name)).length).toBe(4_000_000)
      }
    }
  })

  it("refuses a folder that is not there, and says so", async () => {
    const sink = createFolderSink(join(newFolder(), "not-mounted"))
    await expect(
      sink.put({ name: "a", bytes: new Uint8Array(), contentType: "", isFinal: true }),
    ).rejects.toMatchObject({
      code: "configuration_invalid",
      detail: expect.stringContaining("mount its disk"),
    })
  })
})
