import { randomBytes } from "node:crypto"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type OpenRecord, openRecord, RecordMaker } from "../../../action/fingerprints/record.ts"
import { patternsFor } from "../../../action/patterns.ts"
import { Budget, Unread } from "../../../action/sweep/budget.ts"
import { Search } from "../../../action/sweep/search.ts"
import { runs } from "../../support/laws.ts"

const budget = () => new Budget(600_000, 2 ** 40)

function recordOf(...values: readonly (string | Uint8Array)[]): OpenRecord {
  const known = values.map((value, index) => ({
    grant: "g",
    name: `v${index}`,
    patterns: typeof value === "string" ? patternsFor(value) : [value],
  }))
  const record = openRecord(Buffer.from(new RecordMaker("token").make(known, 0)), "token")
  if (record === null) throw new Error("the record does not open")
  return record
}

function find(records: readonly OpenRecord[], chunks: readonly Uint8Array[]) {
  const search = new Search(records, budget())
  search.begin({ budget: budget() })
  for (const chunk of chunks) search.push(chunk)
  return search.end().map(({ value, offset }) => `${value.name}@${offset}`)
}

/** A text in pieces of the given sizes, again and again. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    cut.push(bytes.subarray(at, at + size))
    at += size
  }
  return cut
}

const SECRET = "s3cr3t>>>value???/K7MDENG+bPxRfiCY"

describe("a value is found", () => {
  const record = recordOf(SECRET)
  test.each<[string, (value: string) => string | Buffer]>([
    ["as it is", (value) => value],
    ["in hex", (value) => Buffer.from(value).toString("hex")],
    ["in capital hex", (value) => Buffer.from(value).toString("hex").toUpperCase()],
    ["in base64", (value) => Buffer.from(value).toString("base64")],
    [
      "in base64 of `user:value`, as Docker and HTTP write it",
      (value) => Buffer.from(`user:${value}`).toString("base64"),
    ],
    [
      "in base64 with two bytes before it and more after it",
      (value) => Buffer.from(`ab${value}more`).toString("base64"),
    ],
    ["in base64url", (value) => Buffer.from(value).toString("base64url")],
    ["in a URL", (value) => encodeURIComponent(value)],
    ["in XML", (value) => value.replaceAll(">", "&gt;")],
    ["in UTF-16, as Windows PowerShell writes a file", (value) => Buffer.from(`\uFEFF${value}`, "utf16le")],
    ["in Go's JSON", (value) => value.replaceAll(">", "\\u003e")],
  ])("%s", (_, write) => {
    const written = Buffer.from(write(SECRET) as string)
    const around = Buffer.concat([randomBytes(1_000), written, randomBytes(1_000)])
    expect(find([record], [around])).toHaveLength(1)
    expect(find([record], [written])).toHaveLength(1)
  })
})

test("10,000 random values in random surroundings and chunks are found at their place, and nothing else is", () => {
  const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })
  fc.assert(
    fc.property(
      bytes(8, 80),
      bytes(0, 200),
      bytes(0, 200),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
      (value, before, after, sizes) => {
        const whole = Buffer.concat([before, value, after])
        const offset = whole.indexOf(value)
        expect(find([recordOf(value)], pieces(whole, sizes))).toEqual([`v0@${offset}`])
        // One byte less is another text.
        const cut = Buffer.concat([before, value.subarray(0, -1)])
        expect(find([recordOf(value)], pieces(cut, sizes))).toEqual(
          cut.indexOf(value) === -1 ? [] : [`v0@${cut.indexOf(value)}`],
        )
      },
    ),
    { numRuns: runs(10_000) },
  )
})

test("a value across the border of the search's own chunks is found, wherever the border cuts it", () => {
  const value = randomBytes(40)
  const record = recordOf(value)
  const border = 256 * 1024 + 1024
  for (let start = border - 1100; start < border + 60; start += 7) {
    const whole = Buffer.alloc(border + 2_000, "x")
    value.copy(whole, start)
    expect(find([record], [whole])).toEqual([`v0@${start}`])
  }
})

test("a value that begins with its own beginning is found", () => {
  const value = Buffer.from("aaaaaaaaaaaaaaaaaaaaaaaab")
  expect(find([recordOf(value)], [Buffer.from(`aaaaaaaa${value}`)])).toEqual(["v0@8"])
})

test("values of several steps, of all lengths, are found in one stream, each at its first place", () => {
  const values = [8, 9, 15, 16, 17, 31, 1_024].map((size) => randomBytes(size))
  const records = [recordOf(...values.slice(0, 3)), recordOf(...values.slice(3))]
  const stream = Buffer.concat([...values, ...values])
  const places = values.map((value) => stream.indexOf(value))
  expect(
    find(records, [stream])
      .map((place) => Number(place.split("@")[1]))
      .sort((a, b) => a - b),
  ).toEqual(places)
})

test("of a value of more than 1 KiB, the beginning is found", () => {
  const value = randomBytes(5_000)
  expect(find([recordOf(value)], [value.subarray(0, 1_024)])).toEqual(["v0@0"])
  expect(find([recordOf(value)], [value.subarray(0, 1_023)])).toEqual([])
})

test("a stream begins anew: the end of one file and the beginning of the next are no value", () => {
  const search = new Search([recordOf(SECRET)], budget())
  for (const part of [SECRET.slice(0, 10), SECRET.slice(10)]) {
    search.begin({ budget: budget() })
    search.push(Buffer.from(part))
    expect(search.end()).toEqual([])
  }
})

test("a search whose time is over stops", () => {
  const search = new Search([recordOf(SECRET)], budget())
  search.begin({ budget: new Budget(0, 0) })
  expect(() => search.push(Buffer.alloc(1024 * 1024))).toThrow(Unread)
})

describe("not looked for", () => {
  test.each([
    ["a value of fewer than eight bytes", "hunter2"],
    ["a truth value", "disabled"],
    ["punctuation", "=========="],
    ["a short number", "1234567"],
  ])("%s", (_, value) => expect(patternsFor(value)).toEqual([]))

  const pem = `-----BEGIN PRIVATE KEY-----\n${randomBytes(48).toString("base64")}\n${randomBytes(9).toString("base64")}\n-----END PRIVATE KEY-----\n`
  const account = {
    type: "service_account",
    project_id: "acme-prod-123456",
    private_key_id: randomBytes(20).toString("hex"),
    private_key: pem,
    client_email: "deploy@acme-prod-123456.iam.gserviceaccount.com",
    token_uri: "https://oauth2.googleapis.com/token",
    universe_domain: "googleapis.com",
  }
  const json = JSON.stringify(account, null, 2)
  const found = (value: string, text: string) => find([recordOf(value)], [Buffer.from(text)]).length > 0

  test("what frames a PEM file", () => {
    expect(found(pem, "-----BEGIN PRIVATE KEY-----\nanother\n-----END PRIVATE KEY-----\n")).toBe(false)
    expect(found(pem, pem.split("\n")[1] ?? "")).toBe(true)
    expect(found(pem, pem)).toBe(true)
  })

  test.each(["type", "project_id", "client_email", "token_uri", "universe_domain"] as const)(
    "%s of a service account, beside its key",
    (member) => {
      expect(found(json, `{"${member}": "${account[member]}"}`)).toBe(false)
      expect(found(json, "-----BEGIN PRIVATE KEY-----")).toBe(false)
      expect(found(json, account.private_key_id)).toBe(true)
      expect(found(json, pem.split("\n")[1] ?? "")).toBe(true)
    },
  )

  test("a host, but the password beside it, even one of letters only", () => {
    const database = JSON.stringify({
      host: "db.internal.acme.com",
      username: "application",
      password: "correcthorsebattery",
    })
    expect(found(database, "db.internal.acme.com application")).toBe(false)
    expect(found(database, "correcthorsebattery")).toBe(true)
  })

  test("what a configuration of a cluster says besides its token", () => {
    const token = randomBytes(30).toString("base64url")
    const config = [
      "apiVersion: v1",
      "kind: Config",
      "clusters:",
      "- cluster:",
      "    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
      "    server: https://cluster.acme.example:6443",
      "  name: production-cluster",
      "users:",
      "- name: deploy",
      `  user: { }`,
      `    token: ${token}`,
      "",
    ].join("\n")
    for (const line of config.split("\n")) expect([line, found(config, line)]).toEqual([line, line.includes(token)])
    expect(found(config, `Bearer ${token}`)).toBe(true)
  })

  test("a certificate in front of its key", () => {
    const line = () => randomBytes(48).toString("base64")
    const [certificate, key] = [line(), line()]
    const bundle = `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`
    expect([found(bundle, certificate), found(bundle, key), found(bundle, bundle)]).toEqual([false, true, true])
  })
})

test("a text that repeats what many values begin with does not hold the search beyond its time", () => {
  const start = "acme-production-token-"
  const values = Array.from({ length: 1_500 }, (_, at) => Buffer.from(start + "x".repeat(1 + (at % 900)) + at))
  const search = new Search([recordOf(...values)], budget())
  search.begin({ budget: new Budget(300, 2 ** 40) })
  const started = performance.now()
  expect(() => {
    for (let chunk = 0; chunk < 200; chunk++) search.push(Buffer.from(start.repeat(12_000)))
    search.end()
  }).toThrow(new Unread("time"))
  expect(search.soFar()).toEqual([])
  expect(performance.now() - started).toBeLessThan(5_000)
})

test("values that begin alike and have one length are told apart", () => {
  const values = ["acme-production-token-1", "acme-production-token-2", "acme-production-token-3"]
  const text = Buffer.from(`${values[2]} ${values[0]} ${values[2]}`)
  expect(find([recordOf(...values), recordOf("acme-production-token-1")], [text]).sort()).toEqual([
    "v0@24",
    "v0@24",
    "v2@0",
  ])
})
