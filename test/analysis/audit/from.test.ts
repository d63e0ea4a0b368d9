import { sha256 } from "@noble/hashes/sha2.js"
import { describe, expect, test } from "vitest"
import { chainRecord, chainStart } from "../../../broker/core/audit-chain.ts"
import { ExportWriter } from "../../../broker/core/audit-export.ts"
import { draft } from "../../core/audit-fixture.ts"
import { verifyChain } from "../../support/verify-chain.ts"

const NAME = { issuer: "https://ci.example", unit_id: "41" }

/** An export of the records after the number `after`, of five. */
function exportedFrom(after: number, change: (lines: string[]) => string[] = (lines) => lines) {
  const writer = new ExportWriter()
  const lines = [writer.ledger(NAME)]
  let chain = chainStart(NAME, sha256)
  for (let seq = 1; seq <= 5; seq++) {
    const link = chainRecord(chain, { ...draft(), seq }, sha256)
    if (!link.ok) throw new Error(link.fault)
    chain = link.value.chain
    if (seq === after) lines.push(writer.from({ seq, chain }))
    if (seq > after) lines.push(writer.record(link.value))
  }
  lines.push(writer.head({ seq: 5, chain }), writer.end())
  return verifyChain([new TextEncoder().encode(`${change(lines).join("\n")}\n`)])
}

describe("an export that begins with a later record", () => {
  test.each([1, 3, 5])("verifies from there on: after record %i", (after) => {
    expect(exportedFrom(after)).toMatchObject({ ok: true, ledgers: [{ ledger: NAME, seq: 5, after }] })
    expect(exportedFrom(0)).toMatchObject({ ok: true, ledgers: [{ ledger: NAME, seq: 5 }] })
  })

  test.each<[string, (lines: string[]) => string[]]>([
    ["without the line that says so", (lines) => lines.filter((_, at) => at !== 1)],
    ["with another number", (lines) => lines.map((line) => line.replace(/^(\{"from".*"seq":)2/, "$11"))],
    ["with another chain value", (lines) => lines.map((line) => line.replace(/^(\{"from":\{"chain":")../, "$100"))],
    ["with the line twice", (lines) => [...lines.slice(0, 2), ...lines.slice(1)]],
    ["with the line after a record", (lines) => [lines[0], lines[2], lines[1], ...lines.slice(3)] as string[]],
    ["without its first record", (lines) => lines.filter((_, at) => at !== 2)],
    ["with a number that is none", (lines) => lines.map((line) => line.replace(/^(\{"from".*"seq":)2/, "$1-2"))],
  ])("is refused %s", (_, change) => {
    expect(exportedFrom(2)).toMatchObject({ ok: true })
    expect(exportedFrom(2, change)).toMatchObject({ ok: false })
  })
})
