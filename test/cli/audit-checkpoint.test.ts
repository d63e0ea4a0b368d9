import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sha256 } from "@noble/hashes/sha2.js"
import { afterAll, beforeAll, expect, test } from "vitest"
import { chainRecord, chainStart } from "../../broker/core/audit-chain.ts"
import { ExportWriter } from "../../broker/core/audit-export.ts"
import { checkpointWorld, ISSUER } from "../support/checkpoint-world.ts"
import { signerOf } from "../support/ed25519.ts"
import { folderOf, runCli } from "./run-cli.ts"

const WITNESS = await signerOf("w.example/witness", 5, "cosignature")

let folder: string
let world: Awaited<ReturnType<typeof checkpointWorld>>
let proofs: string
const path = (name: string) => join(folder, name)
const write = (name: string, text: string) => {
  writeFileSync(path(name), text)
  return path(name)
}
const exported = async (name: string) =>
  write(name, `${(await runCli("audit", "export", "--data", world.folder)).out}\n`)
const verified = async (file: string, ...more: readonly string[]) => {
  const { code, out, err } = await runCli("audit", "verify", file, ...more)
  return { code, said: `${out}${err}`.replaceAll(`${folder}/`, "").split("\n") }
}
const checked = (file: string, checkpoint = "proofs", policy = "policy") =>
  verified(file, "--checkpoint", path(checkpoint), "--policy", path(policy))

/** The same trail with one record changed, and every hash after it made anew: a chain without a fault. */
function rewritten(text: string, change: (record: Record<string, unknown>) => void): string {
  const writer = new ExportWriter()
  let [chain, seq] = ["", 0]
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { ledger, record, head } = JSON.parse(line)
      if (ledger !== undefined) {
        ;[chain, seq] = [chainStart(ledger, sha256), 0]
        return writer.ledger(ledger)
      }
      if (record !== undefined) {
        change(record)
        const link = chainRecord(chain, record, sha256)
        if (!link.ok) throw new Error(link.fault)
        ;[chain, seq] = [link.value.chain, seq + 1]
        return writer.record(link.value)
      }
      return head === undefined ? writer.end() : writer.head({ seq, chain })
    })
  return `${lines.join("\n")}\n`
}

beforeAll(async () => {
  folder = folderOf({})
  world = await checkpointWorld([WITNESS])
  const broker = world.brokerOf(world.newTrees())
  await world.append("7", 2)
  await world.append("41", 5)
  await world.follow(broker, "7", "41")
  await world.sign(broker)
  proofs = (await Promise.all(["7", "41"].map((unit) => broker.checkpoints.prove(world.keyOf(unit))))).join("")
  write("proofs", proofs)
  write("one", (await broker.checkpoints.prove(world.keyOf("41"), 3)) ?? "")
  write("policy", (await broker.checkpoints.policy()) ?? "")
  await exported("before")
  await world.append("41", 1)
  await world.append("99", 1)
  await exported("trail")
})
afterAll(() => world.close())

const U = (unit: string) => `unit "${unit}" of "${ISSUER}"`

test("an export fits its checkpoint, and says what came after it", async () => {
  const { code, said } = await checked(path("trail"))
  expect(code).toBe(0)
  expect(said.slice(3)).toEqual([
    expect.stringMatching(
      /^checkpoint 2 of daypass.example\/log\/[0-9a-f]{16}, cosigned by w.example\/witness at 2027-/,
    ),
    `${U("7")}: records 1 to 2 are those of the checkpoint`,
    `${U("41")}: records 1 to 5 are those of the checkpoint; 1 came later, and nothing proves them yet`,
    `${U("99")}: not in the checkpoint yet`,
  ])
  const one = await checked(path("trail"), "one")
  expect(one).toMatchObject({
    code: 0,
    said: expect.arrayContaining([`${U("41")}: record 3 is the one of the checkpoint`]),
  })
})

test("a record that was rewritten, with all hashes made anew, is found by its checkpoint alone", async () => {
  const text = readFileSync(path("trail"), "utf8")
  const forged = write(
    "forged",
    rewritten(text, (record) => {
      if (record["seq"] === 3) record["reason"] = "nothing happened"
    }),
  )
  expect((await verified(forged)).code).toBe(0)
  const { code, said } = await checked(forged)
  expect(code).toBe(1)
  expect(said).toContain(
    `${U("41")}: records 1 to 5 are not those of the checkpoint: at least one of them was changed after it was signed`,
  )
  expect(await checked(forged, "one")).toMatchObject({
    code: 1,
    said: expect.arrayContaining([`${U("41")}: record 3 is not the one of the checkpoint: it was changed`]),
  })
  // The same trail, written again by the same code, is the same.
  expect(rewritten(text, () => {})).toBe(text)
})

test("a ledger that was cut, or left out, is found by its checkpoint alone", async () => {
  const lines = readFileSync(path("trail"), "utf8").trimEnd().split("\n")
  const begins = lines.findIndex((line) => line.includes('"unit_id":"41"'))
  const cut = write(
    "cut",
    rewritten([...lines.slice(0, begins + 4), ...lines.slice(begins + 7)].join("\n"), () => {}),
  )
  expect((await verified(cut)).code).toBe(0)
  expect(await checked(cut)).toMatchObject({
    code: 1,
    said: expect.arrayContaining([
      `${U("41")}: the checkpoint has 5 records, and the file 3: it was cut, or was exported before the checkpoint`,
    ]),
  })
  const without = write(
    "without",
    rewritten([...lines.slice(0, begins), ...lines.slice(begins + 8)].join("\n"), () => {}),
  )
  expect((await verified(without)).code).toBe(0)
  expect(await checked(without)).toMatchObject({
    code: 1,
    said: expect.arrayContaining([`${U("41")}: the checkpoint has this ledger, and the file has not`]),
  })
})

test("an earlier export must be the beginning of a later one", async () => {
  expect(await verified(path("trail"), "--earlier", path("before"))).toMatchObject({
    code: 0,
    said: expect.arrayContaining(["all 7 records of before are the beginning of their ledgers here"]),
  })
  const forged = write(
    "later",
    rewritten(readFileSync(path("trail"), "utf8"), (record) => {
      if (record["seq"] === 5) record["reason"] = "nothing happened"
    }),
  )
  expect(await verified(forged, "--earlier", path("before"))).toMatchObject({
    code: 1,
    said: expect.arrayContaining([
      `${U("41")}: record 5 of before is not here: an earlier record was changed, or some are missing`,
    ]),
  })
  expect((await verified(path("before"), "--earlier", path("trail"))).code).toBe(1)
  expect((await verified(path("trail"), "--earlier", path("policy"))).code).toBe(1)
  expect((await verified(path("trail"), "--earlier", path("nothing"))).code).toBe(2)
})

test.each([
  [
    "a head of more records",
    (text: string) => extra(text, (head) => head.replace('"size":2', '"size":3')),
    "does not contain the head",
  ],
  [
    "another unit",
    (text: string) => extra(text, (head) => head.replace('"unit_id":"7"', '"unit_id":"8"')),
    "does not contain the head",
  ],
  ["an extra that is none", (text: string) => text.replace(/extra \S+/, "extra AAAA"), "names no head"],
  ["no extra", (text: string) => text.replace(/extra \S+\n/, ""), "names no head"],
  ["another place", (text: string) => text.replace("index 0", "index 1"), "does not contain the head"],
  ["a changed root", (text: string) => text.replace(/\n2\n.{4}/, "\n2\nAAAA"), "the signature of"],
  ["no cosignature", (text: string) => text.replace(/\n\u2014 w.example[^\n]*/g, ""), "lacks cosignatures"],
  ["no signature of the log", (text: string) => text.replace(/\n\u2014 daypass[^\n]*/g, ""), "not signed by its log"],
  ["another first line", (text: string) => text.replace("@v1", "@v2"), "the file is no proof"],
  ["a cut end", (text: string) => text.slice(0, -5), "proof 2"],
  ["nothing", () => "", "it is empty"],
])("a proof with %s is refused", async (_, change, reason) => {
  write("changed", change(proofs))
  const { code, said } = await checked(path("trail"), "changed")
  expect([code, said.length]).toEqual([1, 1])
  expect(said[0]).toContain(reason)
})

/** Changes the head in the first proof's extra line. */
const extra = (text: string, change: (head: string) => string) =>
  text.replace(/extra (\S+)/, (_, base64: string) => `extra ${btoa(change(atob(base64)))}`)

test("what cannot be used is told apart from what is wrong", async () => {
  expect((await checked(path("trail"), "nothing")).code).toBe(2)
  expect(await checked(path("trail"), "proofs", "proofs")).toMatchObject({
    code: 2,
    said: [expect.stringContaining("proofs is no policy for checkpoints: line 1 starts with an unknown word")],
  })
  expect((await verified(path("trail"), "--checkpoint", path("proofs"))).code).toBe(2)
  expect((await verified(path("trail"), "--policy", path("policy"))).code).toBe(2)
})
