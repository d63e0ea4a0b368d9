import { sha256 } from "@noble/hashes/sha2.js"
import { describe, expect, test } from "vitest"
import { chainRecord, chainStart, MAX_RECORD_BYTES } from "../../broker/core/audit-chain.ts"
import { draft } from "./audit-fixture.ts"

const ISSUER = "https://token.actions.githubusercontent.com"

describe("an audit chain", () => {
  // Computed with Python's hashlib over the bytes that the format's description names.
  test("starts, and goes on, with hashes that anybody can recompute from the format's description", () => {
    const start = chainStart({ issuer: "https://issuer.example", unit_id: "41" }, sha256)
    expect(start).toBe("4959cfb457b9e3357b84eb764ddcd0ae9fef0d907846087adb35de9ac0f9c963")
    expect(chainRecord(start, { seq: 1, b: "ü", a: null }, sha256)).toEqual({
      ok: true,
      value: {
        text: '{"a":null,"b":"ü","seq":1}',
        leaf: "00bc1e61337937b09ba462b2f5b3cdf008080c935ac8b20412c63ce388a543ee",
        chain: "b47fa534e0d8bdf34dd981ea58eaa70ff172ffb664c9aa96f53473a9948d3024",
      },
    })
  })

  test.each([
    ["another unit", { issuer: ISSUER, unit_id: "42" }],
    ["another issuer", { issuer: `${ISSUER}/enterprise`, unit_id: "41" }],
    ["names that only join to the same text", { issuer: `${ISSUER}","4`, unit_id: "1" }],
  ])("of %s starts elsewhere", (_name, other) => {
    expect(chainStart(other, sha256)).not.toBe(chainStart({ issuer: ISSUER, unit_id: "41" }, sha256))
  })

  test("depends on every record before and on every member of a record", () => {
    const start = chainStart({ issuer: ISSUER, unit_id: "41" }, sha256)
    const hashes = [
      chainRecord(start, { ...draft(), seq: 1 }, sha256),
      chainRecord(chainStart({ issuer: ISSUER, unit_id: "42" }, sha256), { ...draft(), seq: 1 }, sha256),
      ...Object.keys(draft()).map((member) => chainRecord(start, { ...draft(), [member]: "changed", seq: 1 }, sha256)),
    ].map((link) => link.ok && link.value.chain)
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  test.each([
    ["a member without a canonical text", { ...draft(), reason: "\ud800", seq: 1 }],
    ["more than its longest record", { ...draft(), reason: "x".repeat(MAX_RECORD_BYTES), seq: 1 }],
  ])("takes no record with %s, and quotes nothing of it", (_name, record) => {
    const link = chainRecord(chainStart({ issuer: ISSUER, unit_id: "41" }, sha256), record, sha256)
    expect(link.ok).toBe(false)
    expect(JSON.stringify(link)).not.toContain("acme")
  })
})
