import { describe, expect, it } from "vitest"
import { type FollowedRecords, Follower, type Reader } from "../../broker/operate/follow.ts"
import type { LedgerHead } from "../../broker/ports/directory.ts"
import type { BrokerEvent, RequestEvent } from "../../broker/ports/log.ts"
import { TestClock } from "../support/clock.ts"
import { ISSUER, openFollowStore, ScriptedRecord } from "../support/followed.ts"
import { record } from "./ledger-samples.ts"

const STARTED = Date.parse("2100-01-01T12:00:00.000Z")

/** A reader that notes what it gets, and fails when it is told to. */
function noting(name: string, from: Reader["from"] = "start") {
  const got: string[] = []
  const reader = {
    name,
    from,
    got,
    fails: false,
    async take({ ledger, records }: FollowedRecords) {
      if (reader.fails) throw new Error("a test's fault")
      for (const one of records) got.push(`${ledger.unitId}:${one.record.seq}`)
    },
  }
  return reader
}

function world() {
  const ledgers = new ScriptedRecord()
  const stored = openFollowStore()
  const clock = new TestClock(STARTED)
  const logged: (RequestEvent | BrokerEvent)[] = []
  const start = (readers: readonly Reader[]) => {
    const follower = new Follower({
      store: stored.places(),
      ledgers,
      readers,
      clock,
      log: (event) => logged.push(event),
    })
    return async () => {
      await follower.note(ledgers.heads())
      while ((await follower.round(10)).goesOn) {}
    }
  }
  const add = (unitId: string, count = 1) => {
    for (let one = 0; one < count; one++) ledgers.append(unitId, record("exchange.minted"))
  }
  return { ledgers, stored, clock, logged, start, add }
}

const range = (unitId: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${unitId}:${from + index}`)

describe("a follower", () => {
  it("gives each reader every record of every ledger once, in order, also after a restart", async () => {
    const { start, add } = world()
    const reader = noting("one")
    add("a", 600)
    add("b", 3)
    await start([reader])()
    expect(reader.got.filter((one) => one.startsWith("a"))).toEqual(range("a", 1, 600))
    expect(reader.got.filter((one) => one.startsWith("b"))).toEqual(range("b", 1, 3))
    reader.got.length = 0
    add("b")
    const again = start([reader])
    await again()
    await again()
    expect(reader.got).toEqual(["b:4"])
  })

  it("reads a ledger once for all readers that are equally far", async () => {
    const { start, add, ledgers } = world()
    const follow = start([noting("one"), noting("two"), noting("three")])
    add("a", 5)
    await follow()
    expect(ledgers.reads).toBe(1)
  })

  it("holds up no reader because another fails, and gives that one the same records later", async () => {
    const { start, add, clock, logged } = world()
    const [good, bad] = [noting("good"), noting("bad")]
    bad.fails = true
    const follow = start([bad, good])
    add("a", 2)
    await follow()
    add("a")
    await follow()
    expect([good.got, bad.got]).toEqual([range("a", 1, 3), []])
    expect(logged).toMatchObject([{ event: "follow.failed", detail: "bad goes on in 1 s: Error", unit_id: "a" }])
    bad.fails = false
    clock.advance(1)
    await follow()
    expect(bad.got).toEqual(range("a", 1, 3))
  })

  it("goes on with other ledgers when one cannot be read, and comes back to it", async () => {
    const { start, add, ledgers, clock } = world()
    const reader = noting("one")
    const follow = start([reader])
    ledgers.broken.add("a")
    add("a", 2)
    add("b", 2)
    await follow()
    expect(reader.got).toEqual(range("b", 1, 2))
    ledgers.broken.clear()
    clock.advance(60)
    await follow()
    expect(reader.got).toEqual([...range("b", 1, 2), ...range("a", 1, 2)])
  })

  it("goes on with other ledgers when a reader can never take what one has, and tries that one less and less", async () => {
    const { start, add, clock, logged } = world()
    const reader = noting("one")
    const take = reader.take.bind(reader)
    let tries = 0
    reader.take = async (batch) => {
      if (batch.ledger.unitId === "a") tries += 1
      if (batch.ledger.unitId === "a") throw new Error("a record that it cannot read")
      await take(batch)
    }
    const follow = start([reader])
    add("a")
    await follow()
    for (let second = 1; second <= 60; second++) {
      clock.advance(1)
      add("b")
      await follow()
    }
    expect(reader.got).toEqual(range("b", 1, reader.got.length))
    expect(reader.got.length).toBeGreaterThanOrEqual(59)
    // After 1, 2, 4, 8, 16 and 32 seconds.
    expect([tries, logged.length]).toEqual([6, 6])
    reader.take = take
    clock.advance(300)
    await follow()
    expect(reader.got).toContain("a:1")
  })

  it("waits no longer than it said when the clock is set back", async () => {
    const { start, add, clock } = world()
    const reader = noting("one")
    reader.fails = true
    const follow = start([reader])
    add("a")
    await follow()
    reader.fails = false
    clock.advance(-86_400)
    await follow()
    expect(reader.got).toEqual(["a:1"])
  })

  it("gives a reader that begins now nothing that is older", async () => {
    const { start, add, ledgers } = world()
    const [old, late] = [noting("old"), noting("late", "now")]
    add("a", 2)
    await start([old])()
    const follow = start([old, late])
    await follow()
    // The directory has never seen this ledger, and its first record is older than the reader.
    ledgers.append("b", record("exchange.minted"))
    ledgers.append("b", record("exchange.denied", null, 3 * 3_600_000))
    ledgers.append("a", record("exchange.minted", null, 3 * 3_600_000))
    await follow()
    expect(late.got.sort()).toEqual(["a:3", "b:2"])
    expect(old.got.sort()).toEqual([...range("a", 1, 3), ...range("b", 1, 2)])
  })

  it("follows a ledger that was set back from its end on", async () => {
    const { start, add, ledgers } = world()
    const reader = noting("one")
    const follow = start([reader])
    add("a", 5)
    await follow()
    ledgers.setBack("a", 3)
    await follow()
    add("a", 2)
    await follow()
    expect(reader.got).toEqual([...range("a", 1, 5), ...range("a", 4, 5)])
  })

  it("knows the lowest place of several readers in a ledger", async () => {
    const { start, add, stored } = world()
    const slow = noting("slow")
    const follow = start([noting("fast"), slow])
    add("a", 2)
    await follow()
    slow.fails = true
    add("a", 2)
    await follow()
    const key = { issuerUrl: ISSUER, unitId: "a" }
    const places = stored.places()
    expect(await places.takenBy(["fast", "slow"], key)).toBe(2)
    expect(await places.takenBy(["fast"], key)).toBe(4)
    expect(await places.takenBy(["fast", "unheard of"], key)).toBe(0)
    expect(await places.takenBy([], key)).toBe(0)
  })

  it("notes how far a ledger is when it reads more than was noted, and keeps what was noted meanwhile", async () => {
    const { add, ledgers, stored, clock } = world()
    const places = stored.places()
    add("a", 2)
    const follower = new Follower({
      ...{ store: places, ledgers, clock, log: () => {} },
      readers: [noting("one")],
    })
    await follower.note(ledgers.heads())
    add("a", 3)
    await follower.round(10)
    const key = { issuerUrl: ISSUER, unitId: "a" }
    const [head] = ledgers.heads()
    expect(await places.entry(key)).toMatchObject({ seq: 5, chain: head?.chain, latestAt: head?.latestAt })
    expect(await places.takenBy(["one"], key)).toBe(5)
    // Found before a later report came: nothing is set back.
    add("a", 2)
    await follower.note(ledgers.heads())
    const entry = await places.entry(key)
    await places.correct({ ...key, ...(head as LedgerHead), seq: 5 }, { ...key, ...(head as LedgerHead), seq: 6 })
    expect(await places.entry(key)).toEqual(entry)
  })

  it("keeps the directory: names from the records, and heads", async () => {
    const { start, ledgers, stored } = world()
    const identity = { ...JOB, unit: "acme/shop" }
    ledgers.append("a", { ...record("exchange.minted"), identity })
    ledgers.append("a", { ...record("exchange.minted"), identity: { ...identity, unit: "acme/store" } })
    ledgers.append("a", record("lease.closed"))
    await start([noting("one")])()
    const places = stored.places()
    const entry = await places.entry({ issuerUrl: ISSUER, unitId: "a" })
    expect(entry).toMatchObject({ unit: "acme/store", unitKind: "repository", owner: "acme", ownerId: "9", seq: 3 })
    expect(await places.list({ limit: 10 })).toEqual({ ledgers: [entry], next: null })
    expect(await places.entry({ issuerUrl: ISSUER, unitId: "b" })).toBeNull()
  })
})

const JOB = {
  ...{
    issuer: ISSUER,
    unit_kind: "repository",
    unit: "",
    unit_id: "a",
    owner: "acme",
    owner_id: "9",
    environment: null,
  },
  ...{ ref: null, event: null, actor: null, actor_id: null, run_id: "1", run_attempt: "1" },
}
