import { readFileSync } from "node:fs"
import { sha256 } from "@noble/hashes/sha2.js"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { ChainVerifier } from "../../../analysis/audit/verify.ts"
import { chainRecord } from "../../../broker/core/audit-chain.ts"
import { ExportWriter } from "../../../broker/core/audit-export.ts"
import { chainOf, draft, exportOf, fileOf } from "../../core/audit-fixture.ts"
import { runs } from "../../support/laws.ts"
import { verifyChain } from "../../support/verify-chain.ts"

const SHOP = { issuer: "https://token.actions.githubusercontent.com", unit_id: "41" }
const SITE = { issuer: "https://token.actions.githubusercontent.com", unit_id: "7" }
const EMPTY = { issuer: "https://token.actions.githubusercontent.com", unit_id: "9" }

const lines = exportOf([SHOP, 4], [EMPTY, 0], [SITE, 2])
const file = fileOf(lines)

describe("an audit trail as the broker wrote it", () => {
  test("verifies, and its heads are told", () => {
    expect(verifyChain([file])).toEqual({
      ok: true,
      ledgers: [
        { ledger: SHOP, ...chainOf(SHOP, 4).head },
        { ledger: EMPTY, ...chainOf(EMPTY, 0).head },
        { ledger: SITE, ...chainOf(SITE, 2).head },
      ],
      found: [],
    })
  })

  test("verifies however its bytes arrive", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: file.length }), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), file.length]
        expect(verifyChain(at.slice(1).map((end, index) => file.subarray(at[index], end)))).toEqual(verifyChain([file]))
      }),
    )
  })

  test("of no ledger at all verifies", () => {
    expect(verifyChain([fileOf(exportOf())])).toEqual({ ok: true, ledgers: [], found: [] })
  })

  test("shows where a hash stands that was noted earlier, and nothing for one that was never its own", () => {
    const noted = chainOf(SHOP, 2).head
    expect(verifyChain([file], [noted.chain, "0".repeat(64)])).toMatchObject({
      ok: true,
      found: [{ ledger: SHOP, ...noted }],
    })
  })
})

describe("an audit trail of version 1", () => {
  // Written by the last version that wrote records of version 1: two ledgers, of four records and of one.
  const written = readFileSync(new URL("../../vectors/audit-version-1.jsonl", import.meta.url), "utf8")
  const old = written.trimEnd().split("\n")
  const heads = [
    { ledger: SHOP, seq: 4, chain: "a9cc377a36ee62d776b6072f30aae5fbf9146be4ef97d8081f827e3bedc0b157" },
    {
      ledger: { issuer: "https://ghes.example/_services/token", unit_id: "7" },
      seq: 1,
      chain: "c4f61dd5ceea13c7e4a5f0fdc7182387d33334b5f9bc7d2bc7e7bd874de8a16e",
    },
  ]

  test("verifies, and calls its repositories units", () => {
    expect(verifyChain([fileOf(old)])).toEqual({ ok: true, ledgers: heads, found: [] })
  })

  test("verifies when a newer version exports the same records", () => {
    const renamed = old.map((line) => (line.startsWith('{"ledger"') ? line.replace("repository_id", "unit_id") : line))
    expect(verifyChain([fileOf(renamed)])).toEqual({ ok: true, ledgers: heads, found: [] })
  })

  test("goes on with records of version 2, and keeps its noted heads", () => {
    const [first] = heads
    if (first === undefined) throw new Error("the vector has a ledger")
    const writer = new ExportWriter()
    const added = chainRecord(first.chain, { ...draft({ request_id: "request-4" }), seq: 5 }, sha256)
    if (!added.ok) throw new Error(added.fault)
    const head = { seq: 5, chain: added.value.chain }
    const mixed = [writer.ledger(SHOP), ...old.slice(1, 5), writer.record(added.value), writer.head(head), writer.end()]
    expect(mixed[1]).not.toContain('"version"')
    expect(mixed[5]).toContain('"version":2')
    expect(verifyChain([fileOf(mixed)], [first.chain])).toEqual({
      ok: true,
      ledgers: [{ ledger: SHOP, ...head }],
      found: [first],
    })
  })

  test("is refused with an edit, as every other one", () => {
    expect(verifyChain([fileOf(old.with(2, (old[2] ?? "").replace("minted", "denied")))])).toMatchObject({
      ok: false,
      fault: { line: 3, seq: 2, reason: expect.stringMatching(/was changed/) },
    })
  })

  test.each([
    ["both names of the id", '{"ledger":{"issuer":"https://i.example","repository_id":"41","unit_id":"41"}}'],
    ["no id", '{"ledger":{"issuer":"https://i.example"}}'],
    ["an id that is no text", '{"ledger":{"issuer":"https://i.example","unit_id":41}}'],
  ])("cannot have a ledger with %s", (_name, line) => {
    expect(verifyChain([fileOf([line])])).toMatchObject({
      fault: { line: 1, reason: "the ledger's name is malformed" },
    })
  })

  test("cannot hide a ledger that begins a second time behind the other name of its id", () => {
    const twice = [...old.slice(0, 6), ...exportOf([SHOP, 0])]
    expect(verifyChain([fileOf(twice)])).toMatchObject({
      fault: { line: 7, reason: expect.stringMatching(/begins a second time/) },
    })
  })
})

describe("an audit trail that was touched", () => {
  const edit = (line: number, from: string, to: string) =>
    lines.map((text, at) => (at === line ? text.replace(from, to) : text))
  const other = exportOf([SHOP, 5], [EMPTY, 0], [SITE, 2])

  test.each<[string, readonly string[], { line: number; seq: number | null; reason: RegExp }]>([
    ["an edited record", edit(2, "acme/shop", "acme/shot"), { line: 3, seq: 2, reason: /was changed/ }],
    ["an edited hash of a record", edit(2, '"leaf":"', '"leaf":"0'), { line: 3, seq: 2, reason: /was changed/ }],
    ["an edited link", edit(2, '"chain":"', '"chain":"0'), { line: 3, seq: 2, reason: /does not follow/ }],
    ["a renamed ledger", edit(0, '"41"', '"42"'), { line: 2, seq: 1, reason: /does not follow/ }],
    ["a renamed empty ledger", edit(6, '"9"', '"10"'), { line: 8, seq: 1, reason: /closing line does not match/ }],
    ["a record too few", lines.toSpliced(2, 1), { line: 3, seq: 2, reason: /record 2 is expected/ }],
    ["a last record too few", lines.toSpliced(4, 1), { line: 5, seq: 4, reason: /some are missing/ }],
    ["a record twice", lines.toSpliced(2, 0, lines[2] ?? ""), { line: 4, seq: 3, reason: /record 3 is expected/ }],
    [
      "two records swapped",
      lines.with(2, lines[3] ?? "").with(3, lines[2] ?? ""),
      { line: 3, seq: 2, reason: /record 2 is expected/ },
    ],
    [
      "a record of another chain",
      lines.toSpliced(11, 0, other[3] ?? ""),
      { line: 12, seq: 3, reason: /does not follow/ },
    ],
    [
      "a ledger twice, of which a noted head could vouch for the wrong one",
      exportOf([SHOP, 2], [SHOP, 3]),
      { line: 5, seq: null, reason: /begins a second time/ },
    ],
    ["a ledger too few", lines.toSpliced(6, 2), { line: 11, seq: null, reason: /some are missing/ }],
    [
      "ledgers in another order",
      [...lines.slice(6, 8), ...lines.slice(0, 6), ...lines.slice(8)],
      { line: 13, seq: null, reason: /another order/ },
    ],
    [
      "no closing line of a ledger",
      lines.toSpliced(5, 1),
      { line: 6, seq: 5, reason: /before the previous one was closed/ },
    ],
    [
      "no closing line of the last ledger",
      lines.toSpliced(11, 1),
      { line: 12, seq: 3, reason: /before the last ledger/ },
    ],
    ["no closing line", lines.slice(0, -1), { line: 13, seq: null, reason: /cut/ }],
    ["only a closing line", lines.slice(-1), { line: 1, seq: null, reason: /missing/ }],
    ["something after its end", [...lines, lines[0] ?? ""], { line: 14, seq: null, reason: /follows the closing/ }],
    ["an empty line", lines.toSpliced(1, 0, ""), { line: 2, seq: 1, reason: /not JSON/ }],
    ["a junk line", lines.toSpliced(1, 0, "junk"), { line: 2, seq: 1, reason: /not JSON/ }],
    [
      "a line that is JSON but no object",
      lines.toSpliced(1, 0, "[]"),
      { line: 2, seq: 1, reason: /canonical text that the broker writes/ },
    ],
    [
      "a line of no known kind",
      lines.toSpliced(1, 0, '{"note":1}'),
      { line: 2, seq: 1, reason: /unknown form or an unknown member/ },
    ],
    [
      "an unknown member in a line",
      edit(5, '{"head"', '{"a":1,"head"'),
      { line: 6, seq: 5, reason: /unknown form or an unknown member/ },
    ],
    [
      "an unknown member in a record",
      edit(1, '"seq":1', '"seq":1,"teq":1'),
      { line: 2, seq: 1, reason: /was changed/ },
    ],
    ["a space", edit(1, ",", ", "), { line: 2, seq: 1, reason: /canonical text that the broker writes/ }],
    [
      "an escape for a letter",
      edit(1, "octocat", "oct\\u006fcat"),
      { line: 2, seq: 1, reason: /canonical text that the broker writes/ },
    ],
    [
      "a member twice",
      edit(1, '"seq":1', '"seq":1,"seq":1'),
      { line: 2, seq: 1, reason: /canonical text that the broker writes/ },
    ],
    [
      "a carriage return",
      lines.with(1, `${lines[1]}\r`),
      { line: 2, seq: 1, reason: /canonical text that the broker writes/ },
    ],
    ["a line that never ends", ["x".repeat(1_000_000)], { line: 1, seq: null, reason: /longer/ }],
  ])("is found by %s", (_name, touched, fault) => {
    expect(verifyChain([fileOf(touched)])).toMatchObject({
      ok: false,
      fault: { line: fault.line, seq: fault.seq, reason: expect.stringMatching(fault.reason) },
    })
  })

  test("is found by a byte order mark, which a decoder would swallow", () => {
    expect(verifyChain([Uint8Array.of(0xef, 0xbb, 0xbf), file]).ok).toBe(false)
  })

  // U+FFFD is what a decoder writes for bytes it cannot read: EF BF BD and F0 BF BD would both be read as it.
  test("is found by bytes that are not UTF-8, which a decoder would replace", () => {
    const replaced = fileOf(edit(1, "octocat", "\ufffd"))
    const broken = replaced.with(replaced.indexOf(0xef), 0xf0)
    expect(verifyChain([broken])).toMatchObject({ fault: { line: 2, reason: "the line is not JSON in UTF-8" } })
  })

  test("is found by any byte that differs", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        expect(verifyChain([file.with(at, (file[at] ?? 0) ^ bits)]).ok).toBe(false)
      }),
      { numRuns: runs(1000) },
    )
  })

  test("is found by any cut", () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), (length) => {
        expect(verifyChain([file.subarray(0, length)]).ok).toBe(false)
      }),
    )
  })

  test("is found by any bytes taken out or put in", () => {
    fc.assert(
      fc.property(fc.nat(file.length), fc.nat(200), fc.uint8Array({ maxLength: 20 }), (at, gone, put) => {
        const touched = [...file.subarray(0, at), ...put, ...file.subarray(at + gone)]
        fc.pre(touched.length !== file.length || touched.some((byte, index) => byte !== file[index]))
        expect(verifyChain([Uint8Array.from(touched)]).ok).toBe(false)
      }),
    )
  })

  test("is found by any lines left out, swapped or repeated", () => {
    const index = fc.nat(lines.length - 1)
    const change = fc.oneof(
      index.map((at) => (all: string[]) => all.toSpliced(at, 1)),
      fc.tuple(index, index).map(
        ([from, to]) =>
          (all: string[]) =>
            all.toSpliced(to, 0, all[from] ?? ""),
      ),
      fc.tuple(index, index).map(([a, b]) => (all: string[]) => {
        const [first, second] = [all[a], all[b]]
        return first === undefined || second === undefined ? all : all.with(a, second).with(b, first)
      }),
    )
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const touched = changes.reduce((all, apply) => apply(all), [...lines])
        fc.pre(touched.join("\n") !== lines.join("\n"))
        expect(verifyChain([fileOf(touched)]).ok).toBe(false)
      }),
      { numRuns: runs(500) },
    )
  })
})

describe("the verifier", () => {
  test("never throws, whatever the bytes", () => {
    const fragment = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => fileOf([text])),
      fc.constantFrom(...lines).map((line) => fileOf([line])),
      fc.constant(fileOf(["[".repeat(100_000)])),
    )
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 5 }), (chunks) => {
        expect(typeof verifyChain(chunks).ok).toBe("boolean")
      }),
    )
  })

  test("quotes nothing of the file in what it says", () => {
    const verdict = verifyChain([fileOf(lines.toSpliced(1, 0, '{"secret":"hunter2"}'))])
    expect(JSON.stringify(verdict)).not.toMatch(/secret|hunter2/)
  })

  test("reads no further once it found a fault", () => {
    const verifier = new ChainVerifier(sha256)
    verifier.push(fileOf(["junk"]))
    verifier.push(file)
    expect(verifier.end()).toMatchObject({ ok: false, fault: { line: 1 } })
  })
})
