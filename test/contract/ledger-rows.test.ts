import { DatabaseSync } from "node:sqlite"
import { describe, expect, test } from "vitest"
import { RecordedLedger } from "../../broker/adapters/ledger/recorded-ledger.ts"
import { sha256 } from "../../broker/adapters/node/sha256.ts"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { exportLines } from "../../broker/adapters/sqlite/audit-export.ts"
import { transactAlone } from "../../broker/adapters/sqlite/batch.ts"
import { SqlKeyRing } from "../../broker/adapters/sqlite/key-ring.ts"
import { migrate, SCHEMA_VERSION } from "../../broker/adapters/sqlite/schema.ts"
import { dueLedgers } from "../../broker/adapters/sqlite/sqlite-rows.ts"
import { SqliteStore } from "../../broker/adapters/sqlite/sqlite-store.ts"
import type { Admission } from "../../broker/ports/ledger.ts"
import { verifyChain } from "../support/verify-chain.ts"
import {
  admission,
  denial,
  expiring,
  HOUR,
  opening as leaseOpening,
  MINUTE,
  minted,
  NOW,
  outliving,
  record,
  revocable,
  revocation,
  revoked,
} from "./ledger-samples.ts"

const KEY = { issuerUrl: "https://issuer.example", unitId: "41" }
const FAR = NOW + 1000 * 24 * HOUR

/** The ledger's tables in memory: what only its SQL and its rows can get wrong. */
function open() {
  const sql = new NodeSql(new DatabaseSync(":memory:"))
  migrate(sql)
  const transact = transactAlone(sql)
  const stored = new SqliteStore({ sql, transact, reading: async (work) => work(), sha256 })
  const ledgerOf = (unitId: string) => new RecordedLedger(stored, { ...KEY, unitId })
  const due = () =>
    sql.all<{ due_at: number | null }>("SELECT due_at FROM ledgers WHERE repository_id = ?", KEY.unitId)[0]?.due_at
  return { sql, transact, ledgerOf, ledger: ledgerOf(KEY.unitId), due }
}

/** The admission of a lease whose token is remembered for longer than anything here takes. */
function opening(lease: string, endsBy = NOW + 2 * HOUR): Admission {
  const token = { key: `token of ${lease}`, issuedAt: NOW / 1000, expiresAt: FAR / 1000 }
  return { ...admission(lease), token, lease: { ...leaseOpening(lease), settleBy: endsBy, endsBy } }
}

const ending = (lease: string, now: number) => {
  const token = { key: `ending ${lease} at ${now}`, issuedAt: NOW / 1000, expiresAt: FAR / 1000 }
  return revocation(lease, { now, token })
}

describe("when a ledger is due", () => {
  test("is not said where nothing ever was", () => {
    expect(open().due()).toBeUndefined()
  })

  test("is an hour after a token has died: then it is forgotten", async () => {
    const { ledger, due } = open()
    await ledger.admit(denial("token"))
    expect(due()).toBe(NOW + HOUR + 10 * MINUTE)
  })

  test("is when a lease must have come out", async () => {
    const { ledger, due } = open()
    await ledger.admit(opening("a"))
    expect(due()).toBe(NOW + 2 * HOUR)
  })

  test("is when the first thing is: nothing that comes later puts it off", async () => {
    const { ledger, due } = open()
    await ledger.admit(opening("a", NOW + HOUR))
    await ledger.admit(opening("b", NOW + 3 * HOUR))
    expect(due()).toBe(NOW + HOUR)
    await ledger.admit(opening("c", NOW + MINUTE))
    expect(due()).toBe(NOW + MINUTE)
  })

  test("is when what was minted has outlived its granted time", async () => {
    const { ledger, due } = open()
    await ledger.admit(opening("a"))
    await ledger.settle(minted("a", outliving("app", 15)))
    expect(due()).toBe(NOW + 15 * MINUTE)
  })

  test("is when a revocation that was begun must have come out", async () => {
    const { ledger, due } = open()
    await ledger.admit(opening("a"))
    await ledger.settle(minted("a", revocable()))
    await ledger.beginRevocation(ending("a", NOW + MINUTE))
    expect(due()).toBe(NOW + 2 * MINUTE)
  })

  test("is looked up anew by each sweep: leases, tokens, whichever is first", async () => {
    const { ledger, due } = open()
    await ledger.admit(opening("a", NOW + HOUR))
    await ledger.admit(opening("b", NOW + 3 * HOUR))
    await ledger.takeDue(NOW + HOUR, 10)
    // The lease a has closed, and is forgotten long after b is due.
    expect(due()).toBe(NOW + 3 * HOUR)
    await ledger.admit(denial("token"))
    await ledger.takeDue(NOW, 10)
    expect(due()).toBe(NOW + HOUR + 10 * MINUTE)
  })

  test("is known by its tokens alone, by its leases alone, and by neither", async () => {
    const { sql, ledger, due } = open()
    await ledger.admit(denial("token"))
    await ledger.takeDue(NOW, 10)
    expect(due()).toBe(NOW + HOUR + 10 * MINUTE)
    await ledger.takeDue(NOW + 2 * HOUR, 10)
    expect(due()).toBeNull()
    await ledger.admit(opening("a"))
    sql.run("DELETE FROM used_tokens")
    await ledger.takeDue(NOW, 10)
    expect(due()).toBe(NOW + 2 * HOUR)
  })

  test("is told of all of them, the longest due first", async () => {
    const { sql, ledgerOf } = open()
    for (const [repository, minutes] of [
      ["late", 30],
      ["early", 10],
      ["never", 600],
    ] as const) {
      await ledgerOf(repository).admit(opening("a", NOW + minutes * MINUTE))
    }
    const names = (limit: number) => dueLedgers(sql, NOW + 30 * MINUTE, limit).map(({ unitId }) => unitId)
    expect([names(10), names(1)]).toEqual([["early", "late"], ["early"]])
    expect(dueLedgers(sql, NOW + 10 * MINUTE, 10)).toEqual([{ issuerUrl: KEY.issuerUrl, unitId: "early" }])
  })
})

describe("what the broker records by itself", () => {
  const told = async (ledger: RecordedLedger) => {
    const { record } = (await ledger.auditTrail(0, 100)).at(-1) ?? {}
    return record
  }

  test.each([
    [
      "a lease that was never settled",
      [],
      NOW + 2 * HOUR,
      "failed: the exchange was interrupted, and nothing left the broker",
    ],
    ["a lease whose credentials have expired", [expiring()], NOW + HOUR, "expired: its time ran out"],
    [
      "a lease with what nobody can take back",
      [expiring("forever", { expiresAt: null })],
      NOW + 2 * HOUR,
      "expires-only: what cannot be revoked lives until it expires",
    ],
  ] as const)("of %s is how it ended", async (_, credentials, now, reason) => {
    const { ledger } = open()
    await ledger.admit(opening("a"))
    if (credentials.length > 0) await ledger.settle(minted("a", ...credentials))
    await ledger.takeDue(now, 10)
    expect(await told(ledger)).toEqual({
      version: 2,
      at: new Date(now).toISOString(),
      seq: credentials.length > 0 ? 3 : 2,
      request_id: "sweeper",
      event: "lease.closed",
      identity: null,
      token_digest: null,
      token_binding: null,
      lease: "a",
      grants: [],
      decision: null,
      reason,
      policy_version: null,
      client_address: null,
    })
  })

  test("of a lease whose last attempt took it back is that it was revoked", async () => {
    const { ledger } = open()
    await ledger.admit(opening("a"))
    await ledger.settle(minted("a", outliving("one", 15), expiring("two", { expiresAt: NOW + 20 * MINUTE })))
    await ledger.takeDue(NOW + 15 * MINUTE, 10)
    expect(await told(ledger)).toMatchObject({ event: "lease.revoking", reason: "the granted time is over: one" })
    await ledger.settleRevocation(revoked("a", { one: "revoked" }, NOW + 15 * MINUTE))
    await ledger.takeDue(NOW + 20 * MINUTE, 10)
    expect(await told(ledger)).toMatchObject({ event: "lease.closed", reason: "expired: its time ran out" })
  })
})

describe("a ledger refuses", () => {
  test("to settle what it never opened", async () => {
    await expect(open().ledger.settle(minted("a"))).rejects.toMatchObject({ detail: "the ledger has no such lease" })
  })

  test("to settle a revocation that was never begun", async () => {
    const { ledger } = open()
    await ledger.admit(opening("a"))
    await ledger.settle(minted("a", revocable()))
    await expect(ledger.settleRevocation(revoked("a", {}))).rejects.toMatchObject({
      detail: "this lease's revocation was never begun",
    })
  })

  test("a record that has no canonical text, and says why", async () => {
    const unwritable = { ...denial("token"), audit: { ...record("exchange.denied"), reason: "\ud800" } }
    await expect(open().ledger.admit(unwritable)).rejects.toMatchObject({
      detail: expect.stringMatching(/^an audit record cannot be written: \w/),
    })
  })

  test("a file that a newer version wrote for newer versions only, and says which versions", () => {
    const { sql } = open()
    const newer = SCHEMA_VERSION + 1
    for (const floor of [newer, null]) {
      sql.run("UPDATE schema_version SET version = ?, readable_from = ?", newer, floor)
      expect(() => migrate(sql)).toThrow(
        `a newer version of Daypass wrote this ledger (schema ${newer}, readable from ${newer}; this version knows ${SCHEMA_VERSION}): run that version or a later one`,
      )
    }
  })

  test("a key ring whose row is gone", async () => {
    const { sql, transact } = open()
    sql.run("DELETE FROM key_ring")
    await expect(new SqlKeyRing(sql, transact).read()).rejects.toThrow("the key ring's row is missing")
  })
})

describe("an export of the audit trail", () => {
  const fileOf = (sql: NodeSql) => new TextEncoder().encode([...exportLines(sql)].map((line) => `${line}\n`).join(""))

  test("is of every ledger, over however many pages, and fits the chain", async () => {
    const { sql, ledger, ledgerOf } = open()
    for (let index = 0; index < 501; index += 1) await ledger.admit(denial(`token ${index}`))
    await ledgerOf("42").admit(denial("token"))
    expect(verifyChain([fileOf(sql)])).toMatchObject({
      ok: true,
      ledgers: [
        { ledger: { unit_id: "41" }, seq: 501 },
        { ledger: { unit_id: "42" }, seq: 1 },
      ],
    })
  })

  test("of nothing is a whole file", () => {
    expect(verifyChain([fileOf(open().sql)])).toMatchObject({ ok: true, ledgers: [] })
  })

  test("shows that records are missing at the end", async () => {
    const { sql, ledger } = open()
    await ledger.admit(denial("one"))
    await ledger.admit(denial("two"))
    sql.run("DELETE FROM audit WHERE seq = 2")
    expect(verifyChain([fileOf(sql)])).toMatchObject({ ok: false })
  })
})
