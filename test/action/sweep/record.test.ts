import { randomBytes } from "node:crypto"
import fc from "fast-check"
import { expect, test } from "vitest"
import { deriveKeys, patternMac, valueMac } from "../../../action/fingerprints/keys.ts"
import { isWhole, MAX_PATTERNS, openRecord, RecordMaker } from "../../../action/fingerprints/record.ts"
import { runs } from "../../support/laws.ts"

const VALUE = "hunter2hunter2"
const one = (value = VALUE) => ({
  grant: "g",
  name: "password",
  variable: { name: "PASSWORD", text: value },
  patterns: [Buffer.from(value)],
})
const stored = (token = "token") => Buffer.from(new RecordMaker(token).make([one()], 5))

test("a record opens in the job that made it, and knows its variable's value", () => {
  const record = openRecord(stored(), "token")
  expect(record).toMatchObject({ since: 5, values: [{ grant: "g", name: "password", env: "PASSWORD" }] })
  const [value] = record?.values ?? []
  if (record === null || value === undefined) throw new Error("the record does not open")
  expect(isWhole(record, value, VALUE)).toBe(true)
  for (const other of ["", "hunter2hunter", "hunter2hunter22", `${VALUE}\n`])
    expect(isWhole(record, value, other)).toBe(false)
})

test("a record opens with no other request token", () => {
  for (const token of ["", "Token", "token "]) expect(openRecord(stored(), token)).toBeNull()
})

test("the file tells nothing of names and values, and two files of one value have nothing in common", () => {
  const [first, second] = [stored().toString(), stored().toString()]
  for (const text of [VALUE, "password", "PASSWORD", '"g"']) expect(first).not.toContain(text)
  const [a, b] = [JSON.parse(first), JSON.parse(second)]
  expect(Object.keys(a)).toEqual(["version", "salt", "nonce", "sealed"])
  for (const member of ["salt", "nonce", "sealed"]) expect(a[member]).not.toBe(b[member])
})

test("an opened record has no value in it", () => {
  const record = openRecord(stored(), "token")
  const { keys: _, ...rest } = record ?? { keys: null }
  expect(JSON.stringify(rest)).not.toContain(VALUE)
})

test("a changed record does not open, and nothing throws", () => {
  const file = stored()
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const edited = Buffer.from(file)
      edited[at] = (edited[at] ?? 0) ^ change
      const opened = openRecord(edited, "token")
      // A line break after the JSON, and bits of base64 that no byte needs, are not part of the record.
      if (opened !== null) expect(opened.values).toEqual(openRecord(file, "token")?.values)
    }),
    { numRuns: runs(5_000) },
  )
})

test.each(["", "{", "null", "[]", '"text"', '{"version":1}', '{"version":2,"salt":"","nonce":"","sealed":""}'])(
  "%j is no record",
  (text) => expect(openRecord(Buffer.from(text), "token")).toBeNull(),
)

test("random bytes are no record", () => {
  for (let size = 0; size < 300; size++) expect(openRecord(randomBytes(size), "token")).toBeNull()
})

test("one step has at most a fixed number of patterns, the first ones", () => {
  const many = { ...one(), patterns: Array.from({ length: MAX_PATTERNS + 50 }, () => randomBytes(12)) }
  const record = openRecord(Buffer.from(new RecordMaker("token").make([many], 0)), "token")
  expect(record?.patterns).toHaveLength(MAX_PATTERNS)
})

test("the fingerprint of a value, of the same bytes as a pattern, and under another salt all differ", () => {
  const [keys, others] = [deriveKeys("token", Buffer.alloc(32, 1)), deriveKeys("token", Buffer.alloc(32, 2))]
  const text = "a value of this job"
  const fingerprints = [keys, others].flatMap((one) => [valueMac(one, text), patternMac(one, Buffer.from(text))])
  expect(new Set(fingerprints).size).toBe(4)
})

test("an item with many members leaves room for the values after it", () => {
  const many = { ...one(), patterns: Array.from({ length: MAX_PATTERNS + 50 }, () => randomBytes(12)) }
  const record = openRecord(Buffer.from(new RecordMaker("token").make([many, one(), one()], 0)), "token")
  expect(record?.patterns).toHaveLength(MAX_PATTERNS)
  expect(new Set(record?.patterns.map(({ value }) => value))).toEqual(new Set([0, 1, 2]))
})
