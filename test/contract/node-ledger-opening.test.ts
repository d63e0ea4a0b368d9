import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { readLedgerMark } from "../../broker/adapters/node/ledger-mark.ts"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { readStore } from "../../broker/adapters/sqlite/store-row.ts"
import type { BrokerEvent } from "../../broker/ports/log.ts"
import type { NodeStore } from "../../broker/ports/node-store.ts"
import schema1 from "../vectors/ledger-schema-1.json" with { type: "json" }
import { admission, denial } from "./ledger-samples.ts"

const SKEW_SECONDS = 62
const HOUR = 3_600_000

let root: string
let folder: string
let store: NodeStore | undefined
let clock: number
let log: BrokerEvent[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "daypass-opening-"))
  folder = join(root, "data")
  clock = Date.parse("2026-11-29T12:00:00.000Z")
  log = []
})
afterEach(async () => {
  await store?.close()
  store = undefined
  rmSync(root, { recursive: true })
})

function open(at = folder): NodeStore {
  store = openNodeStore(at, { log: (event) => void log.push(event as BrokerEvent), now: () => clock })
  return store
}
async function close(): Promise<void> {
  await store?.close()
  store = undefined
}
const admit = (...tokens: readonly string[]) =>
  Promise.all(
    tokens.map((token) =>
      (store ?? open()).ledgers.of("https://issuer.example", "41").admit({ ...denial(token), now: clock }),
    ),
  )
const path = (name: string) => join(folder, name)
const removeLedger = () => {
  for (const part of ["", "-wal", "-shm"]) rmSync(path(`ledger.db${part}`), { force: true })
}

/** What the database says of itself, read by another process's means. */
function stored(at = folder) {
  const database = new DatabaseSync(join(at, "ledger.db"), { readOnly: true })
  try {
    return readStore(new NodeSql(database))
  } finally {
    database.close()
  }
}

/** A data folder as a crash leaves it: the files of a store that is open, after its mark was written. */
async function crashed(): Promise<void> {
  await admit("before the crash")
  await expect.poll(() => readLedgerMark(folder)).toMatchObject({ commits: stored().commits })
  cpSync(folder, join(root, "image"), { recursive: true })
  await close()
  rmSync(folder, { recursive: true })
  cpSync(join(root, "image"), folder, { recursive: true })
}

describe("a ledger that is opened", () => {
  test("for the first time refuses what was issued before, and says nothing of it", async () => {
    open()
    expect(stored()).toMatchObject({ acceptFrom: clock / 1000, generation: expect.stringMatching(/./) })
    expect(log).toEqual([])
    expect(await store?.health.look()).toEqual({ state: "ok" })
  })

  test("again, after a clean end, is as it was", async () => {
    await admit("one", "two")
    await close()
    const before = stored()
    expect(readLedgerMark(folder)).toEqual({ generation: before.generation, commits: before.commits, time: clock })
    clock += HOUR
    open()
    expect(stored()).toEqual(before)
    expect(log).toEqual([])
  })

  test("again, after a crash, is as it was", async () => {
    await crashed()
    expect(statSync(path("ledger.db-wal")).size, "its last commits are in the write-ahead log").toBeGreaterThan(0)
    const { acceptFrom } = stored()
    open()
    expect(log).toEqual([])
    expect(stored().acceptFrom).toBe(acceptFrom)
  })

  test("has a mark that follows within a second", async () => {
    await admit("one")
    const { commits } = stored()
    expect(commits).toBeGreaterThan(1)
    await expect.poll(() => readLedgerMark(folder), { timeout: 10_000 }).toMatchObject({ commits })
  })
})

const older = async () => {
  await admit("one")
  await close()
  copyFileSync(path("ledger.db"), join(root, "backup.db"))
  await admit("two")
  await close()
  copyFileSync(join(root, "backup.db"), path("ledger.db"))
}

describe("a ledger that may have forgotten used tokens", () => {
  test.each<[string, BrokerEvent["event"], string, () => Promise<void>]>([
    ["was set back to a backup", "ledger.rolled_back", "older than its mark", older],
    [
      "was set back, and its mark deleted",
      "ledger.unmarked",
      "mark is missing",
      async () => {
        await older()
        rmSync(path("ledger.mark"))
      },
    ],
    [
      "has a mark that is none",
      "ledger.unmarked",
      "mark is missing or unreadable",
      async () => {
        await admit("one")
        await close()
        writeFileSync(path("ledger.mark"), '{"generation":"x","commits":-1,"time":0}')
      },
    ],
    [
      "was deleted",
      "ledger.rolled_back",
      "An empty one was made",
      async () => {
        await admit("one")
        await close()
        removeLedger()
      },
    ],
    [
      "is another folder's",
      "ledger.rolled_back",
      "another one than its mark says",
      async () => {
        await admit("one")
        await close()
        const other = openNodeStore(join(root, "other"), { now: () => clock })
        for (let n = 0; n < 9; n++) await other.ledgers.of("https://issuer.example", "41").admit(denial(`${n}`))
        await other.close()
        copyFileSync(join(root, "other/ledger.db"), path("ledger.db"))
      },
    ],
    [
      "lost the end of its write-ahead log",
      "ledger.rolled_back",
      "older than its mark",
      async () => {
        await crashed()
        truncateSync(path("ledger.db-wal"), statSync(path("ledger.db-wal")).size - 1)
      },
    ],
    [
      "lost its write-ahead log to a bad disk",
      "ledger.rolled_back",
      // Everything was in the log: the database itself is still empty.
      "An empty one was made",
      async () => {
        await crashed()
        writeFileSync(path("ledger.db-wal"), Buffer.alloc(8192, 0xff))
      },
    ],
    [
      "was written by a version that kept no mark",
      "ledger.unmarked",
      "earlier version",
      async () => {
        await admit("one")
        await close()
        removeLedger()
        rmSync(path("ledger.mark"))
        const database = new DatabaseSync(path("ledger.db"))
        for (const statement of schema1.statements) database.exec(statement)
        database.close()
      },
    ],
  ])("because it %s refuses what was issued before, and says so until that is over", async (_, event, says, story) => {
    await story()
    log = []
    clock += HOUR
    open()
    const after = stored()
    expect(after.acceptFrom).toBeGreaterThanOrEqual(clock / 1000)
    expect(after.acceptFrom).toBeLessThanOrEqual(clock / 1000 + SKEW_SECONDS)
    expect(log).toMatchObject([{ event, detail: expect.stringContaining(says) }])
    expect(log[0]?.detail).toContain(new Date(after.acceptFrom * 1000).toISOString())
    const health = await store?.health.look()
    expect(health).toMatchObject({ state: "degraded", since: new Date(clock).toISOString() })
    expect(health).toMatchObject({ reason: expect.stringContaining(says) })

    clock += 20 * 60_000
    expect(await store?.health.look()).toEqual({ state: "ok" })
    await close()
    log = []
    open()
    expect(log, "the mark is the new ledger's").toEqual([])
    expect(stored()).toMatchObject({ generation: after.generation, acceptFrom: after.acceptFrom })
  })

  test("takes another generation, so that an older copy never fits its mark again", async () => {
    await older()
    const { generation } = stored()
    open()
    expect(stored().generation).not.toBe(generation)
    await admit("three", "four")
    await admit("five")
    await close()
    copyFileSync(join(root, "backup.db"), path("ledger.db"))
    log = []
    open()
    expect(log).toMatchObject([{ event: "ledger.rolled_back" }])
  })

  test.each([
    ["an hour at most, because the clock may be behind now", 30 * 365 * 24 * HOUR, 3600],
    ["as long as that", HOUR / 2, 1800],
  ])("when a clock had stood ahead, refuses tokens for %s", async (_, ahead, seconds) => {
    open()
    await close()
    clock += ahead
    await older()
    clock -= ahead
    open()
    expect(stored().acceptFrom).toBe(clock / 1000 + seconds + SKEW_SECONDS)
  })

  test("refuses also what an issuer with a faster clock issued shortly before, and no more", async () => {
    await older()
    const { time } = readLedgerMark(folder) as { time: number }
    clock = time + 10_000
    open()
    expect(stored().acceptFrom).toBe(time / 1000 + SKEW_SECONDS)
    await close()

    // After an hour, all of those have expired: nobody waits.
    await older()
    clock += HOUR
    open()
    expect(stored().acceptFrom).toBe(clock / 1000)
  })
})

describe("a damaged ledger", () => {
  const fill = async () => {
    open()
    const ledgers = ["41", "42", "43"].map((id) => store?.ledgers.of("https://issuer.example", id))
    const calls = Array.from({ length: 120 }, (_, n) => ledgers[n % 3]?.admit(admission(`lease ${n}`)))
    await Promise.all(calls)
    await close()
    return readFileSync(path("ledger.db"))
  }
  const remedies = /is damaged.*put a backup of ledger\.db in its place.*refuses every token that was issued before/s

  test("is refused wherever 8 KiB of it were overwritten, and its backup starts", async () => {
    const whole = await fill()
    for (let at = 0; at + 8192 <= whole.length; at += 5003) {
      const bytes = Buffer.from(whole)
      bytes.fill(0xff, at, at + 8192)
      writeFileSync(path("ledger.db"), bytes)
      expect(() => open(), `at ${at}`).toThrow(
        expect.objectContaining({ code: "ledger_unavailable", detail: expect.stringMatching(remedies) }),
      )
    }
    writeFileSync(path("ledger.db"), whole)
    open()
    expect(log).toEqual([])
  })

  test("is refused when its end is missing", async () => {
    const whole = await fill()
    const lengths = Array.from({ length: Math.ceil((whole.length - 100) / 9001) }, (_, at) => 100 + at * 9001)
    // A few bytes of the last page may be the end of a record's text, which SQLite reads as zeros.
    for (const length of [...lengths, whole.length - 1, whole.length - 53]) {
      writeFileSync(path("ledger.db"), whole.subarray(0, length))
      expect(() => open(), `${length} bytes`).toThrow(remedies)
    }
  })

  test("is refused when a write-ahead log of another one is beside it", async () => {
    await fill()
    copyFileSync(path("ledger.db"), join(root, "backup.db"))
    // Closing moves these into the database, so that the log of the crash does not have them.
    await admit(...Array.from({ length: 100 }, (_, n) => `${n}`))
    await close()
    await crashed()
    copyFileSync(join(root, "backup.db"), path("ledger.db"))
    expect(() => open()).toThrow(remedies)
  })
})
