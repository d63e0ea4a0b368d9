import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { OPERATE_FILE } from "../../broker/adapters/node/operate-file.ts"
import { createIndexReader } from "../../broker/adapters/record-index/index-reader.ts"
import { StoredIndex } from "../../broker/adapters/record-index/search.ts"
import { filled, matchesIn, mayMatch, SEGMENT_RECORDS } from "../../broker/adapters/record-index/segment.ts"
import { Follower } from "../../broker/operate/follow.ts"
import type { BrokerEvent, RequestEvent } from "../../broker/ports/log.ts"
import { TestClock } from "../support/clock.ts"
import { openFollowStore, ScriptedRecord } from "../support/followed.ts"
import { NOW, record } from "./ledger-samples.ts"
import { recordIndexContract } from "./record-index.suite.ts"

const folder = mkdtempSync(join(tmpdir(), "daypass-index-"))
const logged: (RequestEvent | BrokerEvent)[] = []
const open = () => openNodeStore(folder, { log: (event) => logged.push(event) })
let store = open()
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

recordIndexContract("on Node", {
  ledgers: () => store.ledgers,
  operate: () => store.operate,
  restart: async () => {
    await store.close()
    store = open()
  },
})

const follow = async () => {
  const { places, indexReader } = store.operate
  const parts = { store: places, ledgers: store.ledgers, readers: [indexReader], clock: new TestClock(NOW) }
  const follower = new Follower({ ...parts, log: () => {} })
  await store.operate.lookForNew()
  while ((await follower.round(5)).goesOn) {}
}

test.each(["damaged", "deleted"])("a file of the index that was %s is made anew from the ledger", async (how) => {
  await follow()
  const before = await store.operate.index.search({ limit: 500 })
  expect(before.found.length).toBeGreaterThan(100)
  await store.close()
  const path = join(folder, OPERATE_FILE)
  for (const end of ["-wal", "-shm", ""]) rmSync(path + end, { force: true })
  if (how === "damaged") writeFileSync(path, "this is no database, and long enough to be looked at".repeat(100))
  logged.length = 0
  store = open()
  if (how === "damaged") {
    await expect(store.operate.lookForNew()).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(await store.operate.health.look()).toMatchObject({ state: "degraded" })
    expect(logged).toMatchObject([{ event: "follow.rebuilt" }])
    expect(existsSync(path)).toBe(false)
  }
  await follow()
  const after = await store.operate.index.search({ limit: 500 })
  expect(after.found).toHaveLength(before.found.length)
  expect(await store.operate.health.look()).toEqual({ state: "ok" })
})

test("a search that may read no more answers with what it has, and comes to an end", async () => {
  const ledgers = new ScriptedRecord()
  const stored = openFollowStore()
  for (let number = 0; number < 3000; number++) {
    const draft = record(number % 100 === 0 ? "exchange.denied" : "exchange.minted", null, number * 3_600_000)
    ledgers.append(`${number % 7}`, { ...draft, request_id: `${number}` })
  }
  const parts = { store: stored.places(), ledgers, readers: [createIndexReader(stored.index())] }
  const follower = new Follower({ ...parts, clock: new TestClock(NOW), log: () => {} })
  await follower.note(ledgers.heads())
  while ((await follower.round(100)).goesOn) {}

  const index = new StoredIndex(stored.index(), ledgers, 1)
  const found: string[] = []
  let cursor: string | null | undefined
  let calls = 0
  do {
    const page = await index.search({ event: "exchange.denied", limit: 20, ...(cursor ? { cursor } : {}) })
    found.push(...page.found.map(({ record: one }) => one.request_id))
    cursor = page.next
    calls += 1
  } while (cursor !== null)
  expect(found).toEqual(Array.from({ length: 30 }, (_, at) => `${2900 - at * 100}`))
  // Two pages would be enough for one that may read all.
  expect(calls).toBeGreaterThan(3)
  expect(await index.hours({})).toMatchObject({ complete: false })
})

test("a segment holds so many records, and one of a record with more terms than others have together", () => {
  const row = (seq: number, terms: readonly number[]) => ({
    at: NOW + seq,
    ledger: 2 ** 31 - 1,
    seq,
    event: "e",
    terms,
  })
  const rows = Array.from({ length: SEGMENT_RECORDS + 1 }, (_, seq) => row(seq, [seq]))
  const { changed, added } = filled(null, rows)
  expect([changed, added.map(({ count }) => count)]).toEqual([null, [SEGMENT_RECORDS, 1]])
  const [full, last] = added
  if (!full || !last) throw new Error("there are two")
  const more = filled(last, [row(2 ** 40, [7, 4_294_967_295])])
  expect(more.changed?.count).toBe(2)
  if (!more.changed) throw new Error("it has room")
  expect(mayMatch(more.changed.terms, [[7], [4_294_967_295]])).toBe(true)
  expect(matchesIn(more.changed, [[4_294_967_295]])).toEqual([
    { at: NOW + 2 ** 40, ledger: 2 ** 31 - 1, seq: 2 ** 40, event: "e" },
  ])
  expect(mayMatch(full.terms, [[7], [SEGMENT_RECORDS]])).toBe(false)
  const huge = filled(more.changed, [
    row(
      3,
      Array.from({ length: 29_999 }, (_, term) => term + 100),
    ),
  ])
  expect(huge.added.map(({ count }) => count)).toEqual([1])
})
