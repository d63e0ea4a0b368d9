// What a running broker on Node does when its storage is taken away: files that are removed, locked, or cannot be written.

import { spawn } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { GroupCommit } from "../../broker/adapters/node/group-commit.ts"
import { LedgerGuard } from "../../broker/adapters/node/ledger-guard.ts"
import { readLedgerMark } from "../../broker/adapters/node/ledger-mark.ts"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { type LogFlush, openLogFlush } from "../../broker/adapters/node/log-flush.ts"
import { NodeSql, openLedgerFile } from "../../broker/adapters/node/sqlite.ts"
import { migrate } from "../../broker/adapters/sqlite/schema.ts"
import { countCommit, readStore } from "../../broker/adapters/sqlite/store-row.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import type { BrokerEvent } from "../../broker/ports/log.ts"
import type { NodeStore } from "../../broker/ports/node-store.ts"
import { admission, denial, failed, minted } from "./ledger-samples.ts"

let root: string
let folder: string
let store: NodeStore | undefined
let log: BrokerEvent[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "daypass-storage-"))
  folder = join(root, "data")
  log = []
})
afterEach(async () => {
  await store?.close()
  store = undefined
  rmSync(root, { recursive: true })
})

const note = (event: unknown) => void log.push(event as BrokerEvent)
const eventsOf = () => log.map(({ event }) => event)
const open = () => {
  store = openNodeStore(folder, { log: note })
  return store
}
const ledger = () => (store ?? open()).ledgers.of("https://issuer.example", "41")
const path = (name: string) => join(folder, name)
const health = () => store?.health.look()

describe("a broker whose ledger is taken away while it runs", () => {
  test.each<[string, () => void, () => void]>([
    [
      "ledger.db was moved away",
      () => renameSync(path("ledger.db"), join(root, "aside")),
      () => renameSync(join(root, "aside"), path("ledger.db")),
    ],
    [
      "the write-ahead log was moved away",
      () => renameSync(path("ledger.db-wal"), join(root, "aside")),
      () => renameSync(join(root, "aside"), path("ledger.db-wal")),
    ],
    [
      "a copy is in its place",
      () => {
        renameSync(path("ledger.db"), join(root, "aside"))
        copyFileSync(join(root, "aside"), path("ledger.db"))
      },
      () => renameSync(join(root, "aside"), path("ledger.db")),
    ],
    [
      "the data folder was renamed, and an empty one made",
      () => {
        renameSync(folder, join(root, "aside"))
        mkdirSync(folder)
      },
      () => {
        rmSync(folder, { recursive: true })
        renameSync(join(root, "aside"), folder)
      },
    ],
  ])("grants nothing once %s, still takes back, and goes on when it is as before", async (_, take, giveBack) => {
    open()
    await ledger().admit(denial("one"))
    take()
    await expect(ledger().admit(denial("two"))).rejects.toMatchObject({
      code: "ledger_unavailable",
      detail: expect.stringContaining("deleted, moved or replaced"),
    })
    await expect(ledger().admit(denial("three"))).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(await health()).toMatchObject({
      state: "unavailable",
      reason: expect.stringContaining("deleted, moved or replaced"),
      since: expect.any(String),
    })
    expect(eventsOf(), "once, however many calls are refused").toEqual(["ledger.gone"])
    expect(await store?.keyRing.replace(0, []), "the way back").toBe(true)

    giveBack()
    expect(await ledger().admit(denial("two"))).toMatchObject({ outcome: "admitted" })
    expect(await health()).toEqual({ state: "ok" })
    expect(eventsOf()).toEqual(["ledger.gone", "ledger.recovered"])
  })

  test("takes the outcome of a failed exchange once its files are gone, and not that of one that hands out", async () => {
    open()
    await ledger().admit(admission("minted"))
    await ledger().admit(admission("failed"))
    rmSync(folder, { recursive: true })
    await expect(ledger().settle(minted("minted"))).rejects.toMatchObject({ code: "ledger_unavailable" })
    await ledger().settle(failed("failed"))
  })

  test("notices by itself, and leaves nothing in a folder that is not its own", async () => {
    open()
    await ledger().admit(denial("one"))
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
    await expect.poll(eventsOf).toEqual(["ledger.gone"])
    await store?.close()
    expect(readdirSync(folder)).toEqual([])
  })
})

describe("the write-ahead log", () => {
  test("gives back the room that it took while an export was reading", async () => {
    open()
    const admitAll = async (name: string, count: number) => {
      for (let one = 0; one < count; one++) await ledger().admit(denial(`${name} ${one}`))
    }
    const logBytes = () => statSync(path("ledger.db-wal")).size
    await admitAll("before", 1)
    const reader = new DatabaseSync(path("ledger.db"), { readOnly: true })
    reader.exec("BEGIN")
    reader.prepare("SELECT count(*) FROM audit").get()
    await admitAll("during", 900)
    const grown = logBytes()
    reader.exec("COMMIT")
    reader.close()
    await admitAll("after", 100)
    expect(grown).toBeGreaterThan(10 * 1024 * 1024)
    expect(logBytes()).toBeLessThanOrEqual(8 * 1024 * 1024)
    expect(await health()).toEqual({ state: "ok" })
  })
})

describe("the lock of a data folder", () => {
  test("is on the ledger as well: without ledger.lock, a second broker still does not start", async () => {
    open()
    for (let n = 0; n < 20; n++) {
      await ledger().admit(denial(`${n}`))
      rmSync(path("ledger.lock"), { force: true })
      expect(() => openNodeStore(folder)).toThrow(/another broker is using the data folder/)
    }
  })

  test("is made again when its file was deleted", async () => {
    open()
    rmSync(path("ledger.lock"))
    await expect.poll(eventsOf).toEqual(["ledger.lock_renewed"])
    expect(() => openNodeStore(folder)).toThrow(/another broker is using the data folder/)
  })

  test("does not keep readers away", async () => {
    open()
    await ledger().admit(denial("one"))
    const lines = [...readAuditTrail(folder)]
    expect(lines.join("\n")).toContain("exchange.denied")
    await ledger().admit(denial("two"))
    expect([...readAuditTrail(folder)].length).toBe(lines.length + 1)
    const database = new DatabaseSync(path("ledger.db"))
    database.exec(`VACUUM INTO '${join(root, "backup.db")}'`)
    database.close()
  })
})

/** A ledger's file with calls that share commits, and what is below them in the hands of the test. */
function harness(
  free: () => boolean = () => false,
  lockedAtMostMs?: number,
  around: (log: LogFlush) => Pick<LogFlush, "flush"> = (log) => log,
) {
  const sql = new NodeSql(openLedgerFile(folder))
  migrate(sql)
  const flush = openLogFlush(folder)
  sql.run("CREATE TABLE filler (bytes BLOB)")
  const guarded = { areInPlace: () => true, keepReserve: () => true, freeReserve: free }
  const guard = new LedgerGuard(guarded, note)
  const commits = new GroupCommit(sql, guard, around(flush), readStore(sql).commits, lockedAtMostMs)
  return { sql, guard, transact: commits.transact, fill, commits, end }

  function fill(bytes = 100_000) {
    return sql.run("INSERT INTO filler (bytes) VALUES (randomblob(?))", bytes)
  }
  async function end() {
    await commits.close()
    sql.database.close()
    flush.close()
  }
}
const rows = (sql: NodeSql) => sql.all<{ n: number }>("SELECT count(*) AS n FROM filler")[0]?.n

describe("calls that share a commit", () => {
  test("when the disk is full: what grants is refused, and what revokes is not lost with it", async () => {
    let freed = 0
    const { sql, guard, transact, fill, end } = harness(() => {
      if (freed++ > 0) return false
      sql.run("PRAGMA max_page_count = 1000000")
      return true
    })
    // SQLite answers SQLITE_FULL at this size, as on a full disk. So this needs no file system of its own, and no rights.
    sql.run(`PRAGMA max_page_count = ${sql.all<{ page_count: number }>("PRAGMA page_count")[0]?.page_count ?? 0}`)
    const outcomes = await Promise.allSettled([
      transact(() => fill(), "out"),
      transact(() => fill(), "back"),
      transact(() => fill(), "out"),
      transact(() => fill(), "back"),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected", "fulfilled"])
    expect(outcomes[0]).toMatchObject({
      reason: { code: "ledger_unavailable", detail: expect.stringContaining("disk of the ledger is full") },
    })
    expect(freed, "the reserve was freed for them").toBe(1)
    expect(rows(sql)).toBe(2)
    expect(guard.health()).toMatchObject({ state: "unavailable", reason: expect.stringContaining("full") })
    expect(eventsOf()).toEqual(["ledger.full"])

    await expect(transact(() => fill(), "out")).rejects.toMatchObject({ code: "ledger_unavailable" })
    await transact(() => fill(), "back")
    expect(rows(sql)).toBe(3)
    await end()
  })

  test("when the disk is full and only granting needs room: the reserve is left alone", async () => {
    let freed = 0
    const { sql, transact, fill, end } = harness(() => freed++ === 0)
    sql.run(`PRAGMA max_page_count = ${sql.all<{ page_count: number }>("PRAGMA page_count")[0]?.page_count ?? 0}`)
    const outcomes = await Promise.allSettled([transact(() => fill(), "out"), transact(() => countCommit(sql), "back")])
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"])
    expect(freed).toBe(0)
    await end()
  })

  test("when the disk is full and the reserve is used up: are refused, and nothing was changed", async () => {
    const { sql, transact, fill, end } = harness()
    sql.run(`PRAGMA max_page_count = ${sql.all<{ page_count: number }>("PRAGMA page_count")[0]?.page_count ?? 0}`)
    await expect(transact(() => fill(), "back")).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(rows(sql)).toBe(0)
    await end()
  })

  test("when the ledger became read-only: say so until a write succeeds again", async () => {
    const { sql, guard, transact, fill, end } = harness()
    sql.run("PRAGMA query_only = ON")
    await expect(transact(() => fill())).rejects.toMatchObject({
      code: "ledger_unavailable",
      detail: expect.stringContaining("cannot be written"),
    })
    expect(guard.health()).toMatchObject({ state: "unavailable" })
    sql.run("PRAGMA query_only = OFF")
    expect(guard.needsProbe).toBe(true)
    await transact(() => countCommit(sql), "back")
    expect(guard.health()).toEqual({ state: "ok" })
    await transact(() => fill())
    expect(eventsOf()).toEqual(["ledger.unwritable", "ledger.recovered"])
    await end()
  })

  test("when a call fails: undo its writes alone", async () => {
    const { sql, guard, transact, fill, end } = harness()
    const refusal = new BrokerError("lease_not_found", "no such lease")
    const failing = transact(() => {
      fill()
      throw refusal
    })
    const outcomes = await Promise.allSettled([transact(() => fill()), failing, transact(() => fill())])
    expect(outcomes).toMatchObject([{ status: "fulfilled" }, { reason: refusal }, { status: "fulfilled" }])
    expect(rows(sql)).toBe(2)
    expect(guard.health()).toEqual({ state: "ok" })
    await end()
  })

  test("when they only read: count no commit", async () => {
    const { sql, transact, fill, commits, end } = harness()
    await transact(() => fill())
    const before = commits.commits
    expect(before).toBe(readStore(sql).commits)
    await Promise.all([transact(() => rows(sql)), transact(() => readStore(sql))])
    expect(commits.commits).toBe(before)
    await transact(() => fill())
    expect(commits.commits).toBe(before + 1)
    await end()
  })
})

describe("a ledger that another process has locked", () => {
  /** Runs a process that takes the ledger's write lock, as soon as it can, and holds it until it is told to end. */
  function lockFromOutside() {
    const script = `
      import { DatabaseSync } from "node:sqlite"
      const database = new DatabaseSync(${JSON.stringify(path("ledger.db"))})
      database.exec("BEGIN IMMEDIATE")
      process.stdout.write("locked")
      process.stdin.on("end", () => process.exit()).resume()`
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["pipe", "pipe", "inherit"],
    })
    const ended = new Promise((resolve) => child.once("exit", resolve))
    return new Promise<() => Promise<unknown>>((resolve, reject) => {
      child.once("error", reject)
      child.stdout.once("data", () => resolve(unlock))
    })

    function unlock() {
      child.stdin.end()
      return ended
    }
  }

  /** The longest time in which the event loop did nothing else, in milliseconds, until `call` is answered. */
  async function longestPause<Value>(call: Promise<Value>): Promise<[PromiseSettledResult<Value>, number]> {
    let last = performance.now()
    let longest = 0
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    const [outcome] = await Promise.allSettled([call])
    clearInterval(timer)
    return [outcome, Math.max(longest, performance.now() - last)]
  }

  test("is waited for without holding up anything else", async () => {
    const { sql, transact, fill, end } = harness()
    const unlock = await lockFromOutside()
    const call = transact(() => fill())
    setTimeout(unlock, 700)
    const [outcome, pause] = await longestPause(call)
    expect(outcome.status).toBe("fulfilled")
    expect(pause).toBeLessThan(400)
    expect(rows(sql)).toBe(1)
    expect(eventsOf()).toEqual([])
    await end()
  })

  test("is waited for no longer than the limit, and told to the operator until it is free", async () => {
    const { guard, transact, fill, end } = harness(undefined, 800)
    const unlock = await lockFromOutside()
    const began = performance.now()
    const [outcome, pause] = await longestPause(transact(() => fill(), "back"))
    expect(outcome).toMatchObject({
      status: "rejected",
      reason: { code: "ledger_unavailable", detail: expect.stringContaining("Another process") },
    })
    expect(performance.now() - began).toBeGreaterThan(790)
    expect(pause).toBeLessThan(400)
    expect(guard.health()).toMatchObject({ state: "unavailable", reason: expect.stringContaining("Another process") })
    await unlock()
    await transact(() => fill())
    expect(guard.health()).toEqual({ state: "ok" })
    expect(eventsOf()).toEqual(["ledger.locked", "ledger.recovered"])
    await end()
  })
})

describe("the flush of a commit", () => {
  test("is waited for by its calls and by those after them, and by nothing else", async () => {
    const flushes: (() => void)[] = []
    const around = (log: LogFlush) => ({
      flush: async () => {
        await new Promise<void>((resolve) => flushes.push(resolve))
        await log.flush()
      },
    })
    const { sql, transact, fill, commits, end } = harness(undefined, undefined, around)
    const counted = commits.commits
    const answered: string[] = []
    const first = transact(() => fill()).then(() => answered.push("first"))
    await expect.poll(() => flushes.length).toBe(1)
    const second = transact(() => fill()).then(() => answered.push("second"))
    const read = transact(() => rows(sql)).then(() => answered.push("read"))
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect([answered, flushes.length, commits.commits]).toEqual([[], 1, counted])
    flushes[0]?.()
    await first
    expect(commits.commits).toBe(counted + 1)
    await expect.poll(() => flushes.length).toBe(2)
    expect(answered).toEqual(["first"])
    flushes[1]?.()
    await Promise.all([second, read])
    expect(answered).toEqual(["first", "second", "read"])
    await end()
  })

  test("that fails refuses its calls and all that follow, and counts nothing as kept", async () => {
    let fails = false
    const around = (log: LogFlush) => ({
      flush: () => (fails ? Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" })) : log.flush()),
    })
    const { guard, transact, fill, commits, end } = harness(undefined, undefined, around)
    await transact(() => fill())
    const counted = commits.commits
    fails = true
    const refused = { status: "rejected", reason: { code: "ledger_unavailable" } }
    const lost = transact(() => fill())
    expect(await Promise.allSettled([lost, transact(() => fill(), "back")])).toMatchObject([refused, refused])
    fails = false
    expect(await Promise.allSettled([transact(() => fill()), transact(() => fill(), "back")])).toMatchObject([
      refused,
      refused,
    ])
    expect(commits.commits).toBe(counted)
    expect(commits.isBroken).toBe(true)
    expect(guard.health()).toMatchObject({ state: "unavailable", reason: expect.stringContaining("started again") })
    expect(eventsOf()).toEqual(["ledger.unwritable"])
    await end()
  })
})

describe("the mark beside the ledger", () => {
  test("that cannot be written stops granting, for a ledger that is set back would not be noticed", async () => {
    open()
    // A folder in its place: rename fails, whatever rights the process has.
    mkdirSync(path("ledger.mark.new"))
    await ledger().admit(denial("one"))
    await expect.poll(eventsOf).toEqual(["ledger.unwritable"])
    await expect(ledger().admit(denial("two"))).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(await health()).toMatchObject({ state: "unavailable", reason: expect.stringContaining("mark") })
    rmSync(path("ledger.mark.new"), { recursive: true })
    await expect.poll(eventsOf).toEqual(["ledger.unwritable", "ledger.recovered"])
    expect(await ledger().admit(denial("two"))).toMatchObject({ outcome: "admitted" })
    await store?.close()
    expect(readLedgerMark(folder)).toMatchObject({ commits: expect.any(Number) })
  })
})

describe("the reserve for the way back", () => {
  const size = () => statSync(path("ledger.reserve"), { throwIfNoEntry: false })
  const RESERVE = 8 * 1024 * 1024

  test("is really written, and is kept from one start to the next", async () => {
    await open().close()
    const first = size()
    expect(first).toMatchObject({ size: RESERVE })
    expect((first?.blocks ?? 0) * 512, "not a sparse file").toBeGreaterThanOrEqual(RESERVE)
    open()
    expect(size()?.ino).toBe(first?.ino)
  })

  test("is made again when a crash left only a part of it, and when it was deleted", async () => {
    await open().close()
    truncateSync(path("ledger.reserve"), 1000)
    open()
    expect(size()).toMatchObject({ size: RESERVE })
    rmSync(path("ledger.reserve"))
    await expect.poll(size).toMatchObject({ size: RESERVE })
    expect(eventsOf()).toEqual([])
  })
})
