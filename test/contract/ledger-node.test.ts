// Longer than most files on purpose: all that only the file on Node can get wrong, in one place.

import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { RecordedLedger } from "../../broker/adapters/ledger/recorded-ledger.ts"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { sha256 } from "../../broker/adapters/node/sha256.ts"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { exportLines } from "../../broker/adapters/sqlite/audit-export.ts"
import { transactAlone } from "../../broker/adapters/sqlite/batch.ts"
import { SqlKeyRing } from "../../broker/adapters/sqlite/key-ring.ts"
import { migrate, SCHEMA_VERSION } from "../../broker/adapters/sqlite/schema.ts"
import { dueLedgers, overdueLeases } from "../../broker/adapters/sqlite/sqlite-rows.ts"
import { SqliteStore } from "../../broker/adapters/sqlite/sqlite-store.ts"
import type { NodeStore } from "../../broker/ports/node-store.ts"
import type { Sql, SqlRow, SqlValue } from "../../broker/ports/sql.ts"
import { verifyChain } from "../support/verify-chain.ts"
import {
  admission,
  denial,
  expiring,
  HOUR,
  MINUTE,
  minted,
  NOW,
  opening,
  revocable,
  revocation,
  revoked,
} from "./ledger-samples.ts"

const ISSUER = "https://issuer.example"

let folder: string
let store: NodeStore | undefined

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "daypass-node-")), "data")
})
afterEach(async () => {
  await store?.close()
  store = undefined
  rmSync(join(folder, ".."), { recursive: true })
})

const open = () => {
  store = openNodeStore(folder)
  return store
}
const ledger = () => (store ?? open()).ledgers.of(ISSUER, "41")
const events = async () => (await ledger().auditTrail(0, 1000)).map(({ record }) => record.event)
/** Something else that writes into the ledger's file: how a test makes it fail. An open store keeps it locked. */
const meddle = (statement: string) => {
  const database = new DatabaseSync(join(folder, "ledger.db"))
  database.exec(statement)
  database.close()
}

describe("the data folder of a broker on Node", () => {
  test("is readable for its owner alone, and so is every file in it", async () => {
    await ledger().admit(denial("token"))
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    const files = readdirSync(folder)
    expect(files).toEqual(expect.arrayContaining(["ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.lock"]))
    expect(files.filter((name) => (statSync(join(folder, name)).mode & 0o777) !== 0o600)).toEqual([])
  })

  test("serves one broker at a time, and the next one once that is gone", async () => {
    await ledger().admit(denial("token"))
    expect(() => openNodeStore(folder)).toThrow(/another broker is using the data folder/)
    await store?.close()
    open()
    expect(await ledger().admit(denial("token"))).toEqual({ outcome: "already-used" })
  })

  test.each([
    ["a ledger that is none", "ledger.db"],
    ["a lock that is none", "ledger.lock"],
  ])("with %s is refused with a reason, and left as it is", (_name, file) => {
    open()
    return store?.close().then(() => {
      const junk = "this is no database, and nothing that would look like one".repeat(100)
      writeFileSync(join(folder, file), junk)
      expect(() => openNodeStore(folder)).toThrow(expect.objectContaining({ code: "ledger_unavailable" }))
      expect(statSync(join(folder, file)).size).toBe(junk.length)
    })
  })

  test("that a newer version wrote is refused", async () => {
    await open().close()
    meddle(`UPDATE schema_version SET version = ${SCHEMA_VERSION + 1}, readable_from = ${SCHEMA_VERSION + 1}`)
    expect(() => openNodeStore(folder)).toThrow(/a newer version of Daypass wrote this ledger/)
  })
})

describe("a broker on Node whose storage fails", () => {
  test("says so to all calls that shared the commit, has changed nothing, and goes on when the storage does", async () => {
    await ledger().admit(denial("before"))
    await store?.close()
    meddle("CREATE TRIGGER full BEFORE INSERT ON leases BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END")
    open()
    const calls = [
      ledger().admit(denial("one")),
      ledger().admit(admission("a", "two")),
      ledger().admit(denial("three")),
    ]
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { code: "ledger_unavailable", retryAfterSeconds: 5 },
      })
    }
    await store?.close()
    meddle("DROP TRIGGER full")
    open()
    expect(await events()).toEqual(["exchange.denied"])
    expect(await ledger().admit(admission("a", "two"))).toEqual({ outcome: "admitted" })
  })

  test("says nothing of the storage in the sentence that callers see", async () => {
    await open().close()
    meddle("DROP TABLE used_tokens")
    open()
    const error = await ledger()
      .admit(denial("one"))
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: "ledger_unavailable" })
    expect(String(error)).not.toMatch(/used_tokens|SQL/i)
  })
})

describe("closing a broker's store", () => {
  test("lets calls that were taken finish, and takes no more", async () => {
    const taken = Promise.all([ledger().admit(denial("one")), ledger().admit(denial("two"))])
    const closing = store?.close()
    await expect(ledger().admit(denial("three"))).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect(await taken).toEqual([{ outcome: "admitted" }, { outcome: "admitted" }])
    await closing
    open()
    expect(await events()).toHaveLength(2)
  })

  test("twice is once", async () => {
    open()
    await Promise.all([store?.close(), store?.close()])
    await store?.close()
  })
})

describe("a broker on Node that is killed", () => {
  /** Runs `body` in a process of its own, which is killed when it has written a line that `until` accepts. */
  function killed(body: string, until: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
    const at = (path: string) => JSON.stringify(new URL(path, pathToFileURL(import.meta.filename)).href)
    const script = `
      import { openNodeStore } from ${at("../../broker/adapters/node/ledgers.ts")}
      import { admission, minted, outliving, revocable, revocation } from ${at("./ledger-samples.ts")}
      const store = openNodeStore(${JSON.stringify(folder)})
      const ledger = store.ledgers.of(${JSON.stringify(ISSUER)}, "41")
      const say = (line) => process.stdout.write(line + "\\n")
      ${body}
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    let text = ""
    return new Promise((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString()
        if (until(text.split("\n").slice(0, -1))) child.kill("SIGKILL")
      })
      child.on("error", reject)
      child.on("close", () => resolve(text.split("\n").slice(0, -1)))
    })
  }
  const saying = (line: string) => (lines: readonly string[]) => lines.includes(line)

  test("after it recorded an intent: the token is used, and the lease closes when nothing of it can be alive", async () => {
    await killed(`await ledger.admit(admission("a")); say("admitted")`, saying("admitted"))
    expect(await ledger().admit(admission("b", "token of a"))).toEqual({ outcome: "already-used" })
    const [due] = await current().due(NOW + 2 * HOUR, 10)
    expect(await due?.ledger.takeDue(NOW + 2 * HOUR, 10)).toEqual([])
    expect(await events()).toEqual(["exchange.intended", "token.replayed", "lease.closed"])
  })

  test("after it handed credentials out: they can be taken back", async () => {
    await killed(
      `await ledger.admit(admission("a")); await ledger.settle(minted("a", revocable())); say("minted")`,
      saying("minted"),
    )
    expect(await ledger().beginRevocation(revocation("a"))).toMatchObject({ outcome: "begun" })
    await ledger().settleRevocation(revoked("a", { vault: "revoked" }))
  })

  test("while it took credentials back: the next one does", async () => {
    await killed(
      `await ledger.admit(admission("a")); await ledger.settle(minted("a", revocable()))
       await ledger.beginRevocation(revocation("a")); say("begun")`,
      saying("begun"),
    )
    const [due] = await current().due(NOW + 3 * MINUTE, 10)
    expect(await due?.ledger.takeDue(NOW + 3 * MINUTE, 10)).toMatchObject([{ lease: "a" }])
  })

  test("while it took back what had outlived its granted time: the next one does, and leaves the rest alone", async () => {
    await killed(
      `await ledger.admit(admission("a")); await ledger.settle(minted("a", outliving("one", 15), outliving("two", 30)))
       await ledger.takeDue(${NOW + 15 * MINUTE}, 10); say("taken")`,
      saying("taken"),
    )
    const now = NOW + 16 * MINUTE
    const [due] = await current().due(now, 10)
    expect(await due?.ledger.takeDue(now, 10)).toMatchObject([{ lease: "a", credentials: [{ grant: "one" }] }])
    await ledger().settleRevocation(revoked("a", { one: "revoked" }, now))
    expect(await ledger().beginRevocation(revocation("a", { now }))).toMatchObject({
      outcome: "begun",
      credentials: [
        { grant: "one", ended: "revoked" },
        { grant: "two", ended: null },
      ],
    })
  })

  test("at any moment: whatever it had answered is there, and the trail is whole", async () => {
    const told = await killed(
      `let next = 0
       for (let worker = 0; worker < 16; worker++) (async () => {
         for (;;) {
           const lease = "lease " + next++
           // On a slow machine, it reaches the limit of a minute. What is refused leaves nothing.
           if ((await ledger.admit(admission(lease))).outcome !== "admitted") return
           say(lease)
         }
       })()`,
      (lines) => lines.length > 200,
    )
    const log: unknown[] = []
    store = openNodeStore(folder, { log: (event) => void log.push(event) })
    expect(log, "a crash leaves no ledger that is behind its mark").toEqual([])
    const trail = await ledger().auditTrail(0, 100_000)
    const recorded = new Set(trail.map(({ record }) => record.lease))
    expect(told.filter((lease) => !recorded.has(lease))).toEqual([])
    const file = [...readAuditTrail(folder)].map((line) => `${line}\n`).join("")
    expect(verifyChain([new TextEncoder().encode(file)])).toMatchObject({ ok: true })
  })

  const current = () => store ?? open()
})

describe("what is due on Node", () => {
  test("is told by ledger, the longest due first, and only when its time has come", async () => {
    const { ledgers, due } = open()
    for (const [repository, minutes] of [
      ["late", 30],
      ["early", 10],
      ["never", 600],
    ] as const) {
      const lease = { ...opening("a"), settleBy: NOW + minutes * MINUTE }
      await ledgers.of(ISSUER, repository).admit({ ...admission("a"), lease })
    }
    const names = async (now: number, limit: number) => (await due(now, limit)).map(({ unitId }) => unitId)
    expect(await names(NOW + 9 * MINUTE, 10)).toEqual([])
    expect(await names(NOW + 30 * MINUTE, 10)).toEqual(["early", "late"])
    expect(await names(NOW + 30 * MINUTE, 1)).toEqual(["early"])
    for (const { ledger: one } of await due(NOW + 30 * MINUTE, 10)) await one.takeDue(NOW + 30 * MINUTE, 10)
    expect(await names(NOW + 30 * MINUTE, 10)).toEqual([])
  })

  test("is, after a clock was ahead, every ledger that saw its time: once, until it was visited", async () => {
    const { ledgers, due } = open()
    for (const repository of ["one", "two", "three"]) await ledgers.of(ISSUER, repository).admit(admission("a"))
    // Three hours ahead, a sweep begins to revoke what nobody settled, and plans its next attempt for then.
    for (const { ledger: one } of await due(NOW + 3 * HOUR, 10)) await one.takeDue(NOW + 3 * HOUR, 10)
    const turns: string[] = []
    for (let left = await due(NOW + MINUTE, 2); left.length > 0; left = await due(NOW + MINUTE, 2)) {
      for (const { unitId, ledger: one } of left) {
        turns.push(unitId)
        await one.takeDue(NOW + MINUTE, 10)
      }
    }
    expect(turns.toSorted()).toEqual(["one", "three", "two"])
    expect(await due(NOW + 2 * MINUTE, 10)).toEqual([])
  })

  test("is counted over all ledgers, with the time since when, and without what is closed or only forgotten", async () => {
    const { ledgers, overdue, due } = open()
    expect(await overdue(NOW)).toEqual({ leases: 0, since: null })
    for (const [repository, minutes] of [
      ["late", 30],
      ["early", 10],
      ["closed", 5],
    ] as const) {
      const lease = { ...opening("a"), settleBy: NOW + minutes * MINUTE }
      await ledgers.of(ISSUER, repository).admit({ ...admission("a"), lease })
    }
    await ledgers.of(ISSUER, "a denial").admit(denial("token"))
    for (const { ledger: one } of await due(NOW + 5 * MINUTE, 10)) await one.takeDue(NOW + 5 * MINUTE, 10)
    expect(await overdue(NOW + 9 * MINUTE)).toEqual({ leases: 0, since: null })
    expect(await overdue(NOW + 3 * HOUR)).toEqual({ leases: 2, since: NOW + 10 * MINUTE })
  })
})

describe("the ledger's SQL", () => {
  /** Notes every statement that runs. */
  class NotingSql extends NodeSql {
    readonly texts = new Set<string>()
    override run(text: string, ...values: readonly SqlValue[]): void {
      this.texts.add(text)
      super.run(text, ...values)
    }
    override all<Row extends SqlRow>(text: string, ...values: readonly SqlValue[]): readonly Row[] {
      this.texts.add(text)
      return super.all<Row>(text, ...values)
    }
  }

  test("scans no table and sorts nothing, whatever it is asked", async () => {
    const sql = new NotingSql(new DatabaseSync(":memory:"))
    migrate(sql)
    sql.texts.clear()
    await tellEverything(sql)
    const plans = [...sql.texts]
      .filter((text) => /^\s*(SELECT|UPDATE|DELETE)/.test(text))
      .map((text) => {
        const plan = sql.database
          .prepare(`EXPLAIN QUERY PLAN ${text}`)
          .all(...Array(text.split("?").length - 1).fill(null))
        return [text, plan.map(({ detail }) => String(detail)).join("; ")] as const
      })
    expect(plans.length).toBeGreaterThan(15)
    // The rows of a limited search are read to count them.
    expect(plans.filter(([, plan]) => /SCAN(?! \(subquery)|TEMP B-TREE/.test(plan))).toEqual([])
  })

  async function tellEverything(sql: Sql): Promise<void> {
    const transact = transactAlone(sql)
    const stored = new SqliteStore({ sql, transact, reading: async (work) => work(), sha256 })
    const one = new RecordedLedger(stored, { issuerUrl: ISSUER, unitId: "41" })
    await one.admit(admission("a"))
    await one.admit(admission("a"))
    await one.settle(minted("a", revocable(), expiring()))
    await one.beginRevocation(revocation("a"))
    await one.settleRevocation(revoked("a", { vault: "revoked" }))
    await one.takeDue(NOW + 100 * 24 * HOUR, 10)
    await one.auditTrail(0, 10)
    dueLedgers(sql, NOW, 10)
    overdueLeases(sql, NOW)
    const ring = new SqlKeyRing(sql, transact)
    await ring.read()
    await ring.replace(0, [])
    Array.from(exportLines(sql))
  }
})
