import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { denial } from "../contract/ledger-samples.ts"
import { runWork, scriptedIo } from "./run-cli.ts"

const ISSUER = "https://issuer.example"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "daypass-audit-"))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

async function command(name: string, ...args: readonly string[]) {
  const out: string[] = []
  const err: string[] = []
  const code = await runWork(name, args, {
    ...scriptedIo(),
    out: (text) => out.push(`${text}\n`),
    err: (text) => err.push(`${text}\n`),
    readFile: () => Promise.reject(new Error("nothing else is read")),
  })
  return { code, out: out.join(""), err: err.join("") }
}

async function write(records: Readonly<Record<string, number>>): Promise<void> {
  const store = openNodeStore(folder)
  for (const [repository, count] of Object.entries(records)) {
    for (let index = 0; index < count; index += 1) await store.ledgers.of(ISSUER, repository).admit(denial(`${index}`))
  }
  await store.close()
}

/** Exports the folder's ledger, lets `change` touch the lines, and verifies what came of it. */
async function verify(change: (lines: string[]) => string[] = (lines) => lines, ...options: readonly string[]) {
  const exported = await command("audit export", "--data", folder)
  expect(exported).toMatchObject({ code: 0, err: "" })
  const file = join(folder, "trail.jsonl")
  writeFileSync(file, change(exported.out.split("\n")).join("\n"))
  const verified = await command("audit verify", file, ...options)
  return {
    ...verified,
    out: verified.out.replaceAll(file, "FILE"),
    head: /head ([0-9a-f]{64})/.exec(verified.out)?.[1],
  }
}

describe("daypass audit export and verify", () => {
  test("agree on every repository's records, and tell the heads", async () => {
    await write({ 7: 1, 41: 3 })
    const { code, out } = await verify()
    expect(code).toBe(0)
    expect(out).toMatch(
      /^unit "7" of "https:\/\/issuer.example": 1 record, head [0-9a-f]{64}\nunit "41" of "https:\/\/issuer.example": 3 records, head [0-9a-f]{64}\n$/,
    )
  })

  test("agree on a ledger in which nothing was ever written", async () => {
    await write({})
    expect(await verify()).toMatchObject({ code: 0, out: "FILE verifies and contains no records\n" })
  })

  test("agree while a broker writes", async () => {
    const store = openNodeStore(folder)
    const ledger = store.ledgers.of(ISSUER, "41")
    await ledger.admit(denial("first"))
    const writing = Promise.all(Array.from({ length: 200 }, (_, index) => ledger.admit(denial(`${index}`))))
    expect((await verify()).code).toBe(0)
    await writing
    expect((await verify()).out).toContain("201 records")
    await store.close()
  })

  test("write every record in the formats of other systems, one in a line", async () => {
    await write({ 7: 1, 41: 3 })
    const linesOf = async (format: string) => {
      const { code, out } = await command("audit export", "--data", folder, "--format", format)
      expect(code).toBe(0)
      return out.trimEnd().split("\n")
    }
    expect((await linesOf("cef")).map((line) => line.slice(0, 38))).toEqual(
      Array.from({ length: 4 }, () => "CEF:0|Daypass|broker|1|exchange.denied"),
    )
    const events = (await linesOf("ocsf")).map((line) => JSON.parse(line))
    expect(events.map(({ class_uid, metadata }) => [class_uid, metadata.uid])).toEqual([
      [3002, `${ISSUER} 7 1`],
      [3002, `${ISSUER} 41 1`],
      [3002, `${ISSUER} 41 2`],
      [3002, `${ISSUER} 41 3`],
    ])
    const [body] = await linesOf("otlp")
    expect(JSON.parse(body ?? "").resourceLogs[0].scopeLogs[0].logRecords).toHaveLength(4)
    expect(await command("audit export", "--data", folder, "--format", "xml")).toMatchObject({ code: 2 })
  })

  test("find one changed byte, and name the record", async () => {
    await write({ 41: 3 })
    const touched = await verify((lines) => lines.with(2, (lines[2] ?? "").replace("a test", "a lest")))
    expect(touched).toMatchObject({
      code: 1,
      out: 'FILE:3: record 2 of unit "41" of "https://issuer.example": the record does not match its own hash: it was changed\n',
    })
  })

  test("find records that are missing at the end of the ledger itself", async () => {
    await write({ 41: 3 })
    const { DatabaseSync } = await import("node:sqlite")
    const database = new DatabaseSync(join(folder, "ledger.db"))
    database.exec("DELETE FROM audit WHERE seq = 3")
    database.close()
    expect(await verify()).toMatchObject({ code: 1, out: expect.stringContaining("some are missing") })
  })

  test("know a head that was noted before the ledger grew, and miss one of a rewritten ledger", async () => {
    await write({ 41: 2 })
    const noted = (await verify()).head ?? ""
    await write({ 41: 2, 7: 1 })
    expect(await verify((lines) => lines, "--head", noted)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`the head ${noted} is record 2 of unit "41"`),
    })
    expect(await verify((lines) => lines, "--head", "0".repeat(64))).toMatchObject({
      code: 1,
      out: expect.stringContaining("is not part of any chain"),
    })
  })
})

describe("what the commands cannot carry out", () => {
  test.each<[string, string, string[], RegExp]>([
    ["no file", "audit verify", [], /FILE is missing/],
    ["two files", "audit verify", ["a", "b"], /too many arguments/],
    ["an unknown option", "audit verify", ["a", "--fast"], /--fast/],
    ["a head that is none", "audit verify", ["a", "--head", "abc"], /64 hexadecimal digits/],
    ["a file that is not there", "audit verify", ["/nonexistent/file"], /cannot be read: ENOENT/],
    ["a folder in place of a file", "audit verify", ["/"], /cannot be read: EISDIR/],
    ["no folder", "audit export", [], /needs --broker, --data/],
    ["an argument too many", "audit export", ["--data", "a", "b"], /too many arguments/],
    ["a folder without a ledger", "audit export", ["--data", "/nonexistent"], /the ledger in \S+ cannot be read/],
  ])("ends with 2 and a reason: %s", async (_name, run, args, reason) => {
    const result = await command(run, ...args)
    expect(result).toMatchObject({ code: 2, out: "", err: expect.stringMatching(reason) })
  })

  test("is not told apart from a correct no: a file that is no audit trail ends with 1", async () => {
    const file = join(folder, "junk")
    writeFileSync(file, "\x1b[2Jjunk\n")
    const { code, out } = await command("audit verify", file)
    expect(code).toBe(1)
    expect(out).toBe(`${file}:1: the line is not JSON in UTF-8\n`)
  })
})

test("a trail of unknown origin cannot move the terminal's cursor", async () => {
  const file = join(folder, "trail.jsonl")
  writeFileSync(file, '{"ledger":{"issuer":"https://i\u009b2J","repository_id":"\u202e41"}}\n{}\n')
  const { code, out } = await command("audit verify", file)
  expect(code).toBe(1)
  expect(out).toContain('unit "\\u{202e}41" of "https://i\\u{9b}2J"')
})
