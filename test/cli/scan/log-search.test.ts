import { createHash, randomBytes } from "node:crypto"
import { describe, expect, test } from "vitest"
import { Budget, Unread } from "../../../action/sweep/budget.ts"
import type { FiledRecord } from "../../../analysis/records/record-lines.ts"
import { Fingerprints } from "../../../cli/scan/run/fingerprints.ts"
import { LogSearch } from "../../../cli/scan/run/log-search.ts"

// Of the forms that the providers' tokens have, made anew in each run.
const TOKENS = {
  github: `ghs_${randomBytes(27).toString("base64url").replace(/[-_]/g, "x")}`,
  jwt: [30, 200, 256].map((bytes) => randomBytes(bytes).toString("base64url")).join("."),
  vault: `hvs.${randomBytes(70).toString("base64url")}`,
  google: `ya29.c.${randomBytes(300).toString("base64url")}`,
  aws: `IQoJ${randomBytes(700).toString("base64")}`,
}
const KEY_ID = "ASIAQWERTYUIOPAS2345"
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

const record = (event: string, grants: readonly object[]) =>
  ({ record: { lease: "L1", event, grants } }) as unknown as FiledRecord

const known = new Fingerprints([
  record("exchange.minted", [
    {
      name: "all",
      fingerprints: Object.fromEntries(Object.entries(TOKENS).map(([name, value]) => [name, sha256(value)])),
    },
    { name: "aws-deploy", ids: { "access-key-id": KEY_ID } },
    { name: "password", connection: "vault" },
  ]),
  record("leak.reported", [{ name: "other", fingerprints: { token: sha256("x".repeat(30)) } }]),
])

function found(log: string, pieces = 1 << 20): string[] {
  const search = new LogSearch(known)
  search.begin({ path: "", inside: [], depth: 0, budget: new Budget(60_000, 2 ** 30) })
  const bytes = Buffer.from(log)
  for (let at = 0; at < bytes.length; at += pieces) search.push(bytes.subarray(at, at + pieces))
  return search.end().map(({ issued, line, form }) => `${issued.name}@${line}${form === "" ? "" : ` ${form}`}`)
}

const wrapped = (text: string, width: number) => text.replace(new RegExp(`.{${width}}`, "g"), "$&\n")
const base64 = (text: string) => Buffer.from(text).toString("base64")

describe.each(Object.entries(TOKENS))("a token of %s in a log is found", (name, token) => {
  test.each<[string, string, string]>([
    ["alone", token, "@1"],
    [
      "behind the runner's time and a colour",
      `2026-11-29T12:00:00.1234567Z \u001b[36;1mtoken: ${token}\u001b[0m\r`,
      "@1",
    ],
    ["in a sentence", `first\nThe token is ${token}.`, "@2"],
    ["as a variable", `export TOKEN="${token}"`, "@1"],
    ["in a header", `> Authorization: Bearer ${token}`, "@1"],
    ["in JSON", JSON.stringify({ a: { token } }), "@1"],
    ["in JSON in JSON", JSON.stringify(JSON.stringify({ token })), "@1"],
    ["in a URL", `https://x-access-token:${token}@github.com/acme/shop.git`, "@1"],
    ["in a query", `https://example.com/a/b-c/d?x=1&token=${encodeURIComponent(token)}&y=2`, "@1"],
    ["in base64", base64(token), "@1"],
    ["in the basic scheme", `AUTHORIZATION: basic ${base64(`x-access-token:${token}`)}`, "@1"],
    [
      "in base64 behind a path",
      `data:text/plain/${base64(`{"auths":{"ghcr.io":{"auth":"${base64(`x:${token}`)}"}}}`)}`,
      "@1",
    ],
    ["in hex", Buffer.from(token).toString("hex"), "@1"],
    [
      "in base64 that is broken into lines",
      `-----\n${wrapped(base64(`password=${token}\n`.repeat(3)), 76)}\nend`,
      "@2",
    ],
  ])("%s", (_, log, place) => {
    const [first = "", ...more] = found(log)
    expect([first.startsWith(`${name}${place}`), more]).toEqual([true, []])
    // Read in pieces, a line and a character are cut anywhere.
    expect(found(log, 7)).toEqual([first])
  })

  test("broken into lines", () => {
    if (token.length > 160) expect(found(`a\n${wrapped(token, 80)}\nb`)).toEqual([`${name}@2 broken into lines`])
  })

  test("but not a part of it, another one, or one that is longer", () => {
    const other = randomBytes(40).toString("base64url")
    for (const log of [token.slice(1), token.slice(0, -1), `${token.replace(/=*$/, "")}x`, other, "", "x".repeat(30)])
      expect(found(log)).toEqual([])
  })
})

test("an id is found in a presigned URL, and says that it is public", () => {
  expect(found(`https://b.s3.amazonaws.com/o?X-Amz-Credential=${KEY_ID}%2F20261129%2Feu-west-1`)).toEqual([
    "access-key-id@1",
  ])
  expect(known.idsIn(KEY_ID)).toMatchObject([{ grant: "aws-deploy", isId: true }])
  expect(known.unknown).toEqual(["password"])
})

test("a line of many megabytes and a log that never ends cost no memory, and their time ends", () => {
  const search = new LogSearch(known)
  const chunk = Buffer.alloc(1 << 20, "a,")
  search.begin({ path: "", inside: [], depth: 0, budget: new Budget(60_000, 2 ** 40) })
  for (let at = 0; at < 8; at++) search.push(chunk)
  search.push(Buffer.from(`\n${TOKENS.github}\n`))
  expect([search.end().map(({ line }) => line), search.lines]).toEqual([[2], { searched: 2, cut: 1 }])
  search.begin({ path: "", inside: [], depth: 0, budget: new Budget(0, 0) })
  expect(() => search.push(chunk)).toThrow(Unread)
})

test("a piece with thousands of parts takes a moment", () => {
  const started = performance.now()
  expect(found(`${"a-".repeat(200_000)}\n${TOKENS.vault}`)).toEqual(["vault@2"])
  expect(performance.now() - started).toBeLessThan(3_000)
})
