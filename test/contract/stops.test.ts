import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { type AuditDraft, auditIdentity, brokersDraft } from "../../broker/core/audit-record.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import type { Organisation } from "../../broker/core/policy/model.ts"
import type { Alarms } from "../../broker/core/policy/schema-alarms.ts"
import { readStops, type StopScope } from "../../broker/core/stops.ts"
import { createStops } from "../../broker/exchange/stops.ts"
import { createAlarms } from "../../broker/operate/alarms.ts"
import { endLeases } from "../../broker/operate/end-leases.ts"
import type { Operator } from "../../broker/operate/operator.ts"
import { liftStop, orderStop, storedStops } from "../../broker/operate/stops.ts"
import type { Directory, LedgerEntry } from "../../broker/ports/directory.ts"
import type { Documents } from "../../broker/ports/documents.ts"
import type { FollowedRecords } from "../../broker/ports/followed.ts"
import type { NodeStore } from "../../broker/ports/node-store.ts"
import { job } from "../core/job.ts"
import { TestClock } from "../support/clock.ts"
import { admission, expiring, minted, NOW, revocable } from "./ledger-samples.ts"

const ISSUER = job().issuerUrl
const SHOP: StopScope = { on: "unit", issuer: ISSUER, id: "41", name: "acme/shop" }

let folder: string
let store: NodeStore
let clock: TestClock
let [alarms, logged] = [{} as Alarms, [] as unknown[]]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "daypass-operate-stops-"))
  store = openNodeStore(folder)
  clock = new TestClock(NOW)
  logged = []
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const entry = (unitId: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  ...{ issuerUrl: ISSUER, unitId, seq: 1, chain: "", latestAt: NOW, openLeases: 1 },
  ...{ unit: `acme/${unitId}`, unitKind: "repository", owner: "acme", ownerId: "9001" },
  ...more,
})

/** What operators work with, over a real store. */
function office(
  changes: { documents?: Documents; ledgers?: NodeStore["ledgers"]; entries?: readonly LedgerEntry[] } = {},
) {
  const documents = changes.documents ?? store.documents
  const entries = changes.entries ?? [entry("41")]
  const directory: Directory = {
    // One page each, so that a caller has to go on.
    list: async ({ after = "0" }) => ({
      ledgers: entries.slice(Number(after), Number(after) + 1),
      next: Number(after) + 1 < entries.length ? String(Number(after) + 1) : null,
    }),
    entry: async ({ unitId }) => entries.find((one) => one.unitId === unitId) ?? null,
  }
  const organisation = { issuers: new Map([["github", { url: ISSUER }]]), alarms } as unknown as Organisation
  const broker = {
    url: "https://daypass.example",
    ledgers: changes.ledgers ?? store.ledgers,
    clock,
    stops: createStops(documents, clock, true),
    log: (event: unknown) => void logged.push(event),
    policySource: {
      snapshot: async () => ({
        organisation,
        version: "v1",
        policiesOf: async () => ({ policies: [], version: "", notes: [] }),
      }),
      status: () => ({ version: "v1", policies: 0, loaded_at: null }),
    },
  }
  return { broker, documents, directory }
}

const act = {
  operator: {
    identity: auditIdentity(job({ unitId: "77", unit: "acme/ops", actor: "ann" })),
    lease: "lease-1",
  } as Operator,
  requestId: "request-1",
  clientAddress: null,
}
const reasons = async (unitId: string, issuer = ISSUER) =>
  (await store.ledgers.of(issuer, unitId).auditTrail(0, 100)).map(({ record }) => `${record.event}: ${record.reason}`)

describe("a stop", () => {
  test("is recorded before it is in force, with who and why, and replaces the one of the same scope", async () => {
    const at = office()
    const order = { scope: SHOP, reason: "  a\u202eleak \n ", for: "2h" }
    expect(await orderStop(order, act, at)).toEqual({
      ...SHOP,
      reason: "a\\u{202e}leak",
      by: "operator ann of acme/ops",
      at: "2100-01-01T10:00:00.000Z",
      until: "2100-01-01T12:00:00.000Z",
    })
    await orderStop({ scope: { ...SHOP, name: "acme/renamed" }, reason: "longer" }, act, at)
    expect(await at.broker.stops.inForce()).toMatchObject([{ id: "41", reason: "longer", until: null }])
    expect(await reasons("77")).toEqual([
      "stop.ordered: unit acme/shop (41), until 2100-01-01T12:00:00.000Z: a\\u{202e}leak",
      "stop.ordered: unit acme/renamed (41), until it is resumed: longer",
    ])
    await liftStop(SHOP, "done", act, at)
    expect(await at.broker.stops.inForce()).toEqual([])
    await expect(liftStop(SHOP, "again", act, at)).rejects.toMatchObject({ code: "not_allowed" })
    expect((await reasons("77")).slice(2)).toEqual(["stop.lifted: unit acme/shop (41): done"])
  })

  test("that cannot be recorded is not ordered", async () => {
    const broken = async () => {
      throw new BrokerError("ledger_unavailable", "The disk is full.")
    }
    const ledgers = { of: () => ({ append: broken }) } as unknown as NodeStore["ledgers"]
    const at = office({ ledgers })
    await expect(orderStop({ scope: SHOP, reason: "why" }, act, at)).rejects.toMatchObject({
      code: "ledger_unavailable",
    })
    expect(await storedStops(at)).toEqual([])
  })

  test("is in force although others order at the same moment, each recorded once", async () => {
    const offices = Array.from({ length: 8 }, () => office())
    await Promise.all(
      offices.map((at, index) => orderStop({ scope: { on: "grant", name: `grant-${index}` }, reason: "why" }, act, at)),
    )
    expect(await storedStops(office())).toHaveLength(8)
    expect(await reasons("77")).toHaveLength(8)
  })

  test("is looked for again when nobody knows whether it was written", async () => {
    const at = office({
      documents: {
        read: (name) => store.documents.read(name),
        replace: async (...change) => {
          await store.documents.replace(...change)
          throw new BrokerError("ledger_unavailable", "the ledger cannot be reached")
        },
      },
    })
    await at.broker.stops.inForce()
    await expect(orderStop({ scope: SHOP, reason: "why" }, act, at)).rejects.toMatchObject({
      code: "ledger_unavailable",
    })
    expect(await at.broker.stops.inForce()).toMatchObject([SHOP])
  })

  test("of another version's list is neither ordered nor lifted, so that none is lost", async () => {
    await store.documents.replace("stops", 0, '{"v":2,"stops":[]}')
    await expect(orderStop({ scope: SHOP, reason: "why" }, act, office())).rejects.toMatchObject({
      code: "ledger_unavailable",
    })
    expect((await store.documents.read("stops")).text).toBe('{"v":2,"stops":[]}')
  })

  test("that is over leaves the list with the next change", async () => {
    await orderStop({ scope: SHOP, reason: "short", for: "1m" }, act, office())
    clock.advance(60)
    await orderStop({ scope: { on: "all" }, reason: "why" }, act, office())
    const stored = readStops((await store.documents.read("stops")).text)
    expect(stored.ok && stored.value.map(({ on }) => on)).toEqual(["all"])
  })
})

describe("the leases of a stop", () => {
  const open = async (unitId: string, id: string) => {
    const ledger = store.ledgers.of(ISSUER, unitId)
    await ledger.admit(admission(id))
    await ledger.settle(minted(id, revocable("vault"), expiring("aws")))
  }
  const end = async (scope: StopScope, at: ReturnType<typeof office>, since = NOW) => {
    const answers = []
    for (let after: string | null | undefined; after !== null; ) {
      const wanted = { scope, reason: "incident", requestId: "r", since, after: after ?? null }
      const answer = await endLeases(wanted, at)
      answers.push(answer)
      after = answer.next
    }
    return answers.map(({ ended, under_way, unreached, expiring: { leases } }) => [ended, under_way, unreached, leases])
  }

  test("are those of the units that it concerns, and a ledger that fails holds up no other", async () => {
    await open("41", "a")
    await open("43", "b")
    await open("44", "c")
    await store.ledgers.of(ISSUER, "43").admit(admission("d"))
    const entries = [
      entry("41", { ownerId: "9002" }),
      entry("broken"),
      entry("43", { openLeases: 0 }),
      entry("44", { openLeases: 0, latestAt: NOW - 3_600_000 }),
    ]
    const ledgers: NodeStore["ledgers"] = {
      of: (issuer, unitId) => {
        if (unitId === "broken") throw new BrokerError("ledger_unavailable", "The ledger cannot be reached.")
        return store.ledgers.of(issuer, unitId)
      },
    }
    const owner: StopScope = { on: "owner", issuer: ISSUER, id: "9001", name: "acme" }
    // Another owner's; the broken one; one whose leases were not told yet; one that has none.
    expect(await end(owner, office({ entries, ledgers }))).toEqual([
      [0, 0, 0, 0],
      [0, 0, 1, 0],
      [1, 1, 0, 1],
      [0, 0, 0, 0],
    ])
    expect(logged).toHaveLength(1)
    expect((await reasons("43")).at(-1)).toBe("lease.revoking: stopped (owner acme (9001)): incident: vault")
    expect(await end({ on: "connection", name: "aws-prod" }, office())).toEqual([[0, 0, 0, 1]])
    expect(await end({ on: "connection", name: "vault-prod" }, office())).toEqual([[1, 0, 0, 0]])
  })

  test("are counted while they are under way, if they began before the stop was in force everywhere", async () => {
    await store.ledgers.of(ISSUER, "41").admit(admission("a"))
    expect(await end(SHOP, office(), NOW - 5000)).toEqual([[0, 1, 0, 0]])
    expect(await end(SHOP, office(), NOW - 5001)).toEqual([[0, 0, 0, 0]])
  })
})

describe("an alarm", () => {
  const denied = (): AuditDraft => ({
    ...brokersDraft("exchange.denied", { at: clock.now(), requestId: "r", lease: null, reason: "not_allowed: deploy" }),
    identity: auditIdentity(job()),
  })
  /** Appends records to a unit's ledger, and hands them to the alarms as the follower does. */
  const happens = async (
    at: ReturnType<typeof office>,
    drafts: readonly AuditDraft[],
    unitId = "41",
    issuer = ISSUER,
  ) => {
    const ledger = store.ledgers.of(issuer, unitId)
    const before = (await ledger.auditTrail(0, 1000)).length
    for (const draft of drafts) await ledger.append(draft)
    const records = await ledger.auditTrail(before, 1000)
    const batch = { ledger: entry(unitId, { issuerUrl: issuer }), records } as unknown as FollowedRecords
    await createAlarms(at).take(batch)
    return () => createAlarms(at).take(batch)
  }
  const replayed = () => ({ ...denied(), event: "token.replayed" as const, reason: "token_already_used" })

  test("stops the unit of the record alone, recorded as the broker's own act, and once", async () => {
    alarms = { token_replayed: { stop: "unit", for: 3600 } }
    const at = office()
    const again = await happens(at, [replayed()])
    await again()
    expect(await at.broker.stops.inForce()).toEqual([
      {
        ...{ on: "unit", issuer: ISSUER, id: "41", name: "acme/41" },
        reason: "token.replayed: token_already_used",
        by: "alarm token_replayed",
        at: clock.now().toISOString(),
        until: new Date(NOW + 3_600_000).toISOString(),
      },
    ])
    expect(await reasons("broker", "https://daypass.example")).toEqual([
      "stop.ordered: alarm token_replayed: unit acme/41 (41): token.replayed: token_already_used",
    ])
  })

  test("changes no stop that an operator ordered, and rings no more for what an operator has resumed", async () => {
    alarms = { token_replayed: { stop: "unit", for: 60 }, denials_in_a_row: { stop: "unit", count: 3 } }
    const at = office()
    await orderStop({ scope: SHOP, reason: "by hand" }, act, at)
    const again = await happens(at, [denied(), denied(), replayed()])
    expect(await at.broker.stops.inForce()).toMatchObject([{ reason: "by hand", until: null }])
    clock.advance(1)
    await liftStop(SHOP, "over", act, at)
    await again()
    clock.advance(1)
    await happens(at, [denied()])
    expect(await at.broker.stops.inForce()).toEqual([])
    await happens(at, [denied(), denied()])
    expect(await at.broker.stops.inForce()).toMatchObject([{ by: "alarm denials_in_a_row" }])
  })

  test("rings no more for what was resumed when an older copy of the follower's places is restored", async () => {
    alarms = { token_replayed: { stop: "unit" } }
    const at = office()
    const again = await happens(at, [replayed()])
    clock.advance(1)
    await liftStop(SHOP, "over", act, at)
    clock.advance(30 * 86_400)
    await orderStop({ scope: { ...SHOP, id: "44" }, reason: "another" }, act, at)
    await liftStop({ ...SHOP, id: "44" }, "over", act, at)
    await again()
    expect(await at.broker.stops.inForce()).toEqual([])
  })

  test("rings for a reason of any characters: one that is refused would come again for ever", async () => {
    alarms = { token_replayed: { stop: "unit" } }
    const at = office()
    for (const [index, text] of [
      "\u202e".repeat(250),
      "\u{1f600}".repeat(125),
      `x${"\u{1f600}".repeat(125)}`,
    ].entries()) {
      await happens(at, [{ ...replayed(), reason: text }], `${50 + index}`)
    }
    expect(await at.broker.stops.inForce()).toHaveLength(3)
  })

  test("leaves room in the list for what operators order, however many units ring", async () => {
    alarms = { token_replayed: { stop: "unit" } }
    const at = office()
    const taken = Array.from({ length: 399 }, (_, index) => ({ ...SHOP, id: `u${index}`, reason: "x", by: "alarm x" }))
    const times = { at: clock.now().toISOString(), until: null }
    const text = JSON.stringify({ v: 1, stops: taken.map((one) => ({ ...one, ...times })) })
    await store.documents.replace("stops", (await store.documents.read("stops")).version, text)
    at.broker.stops.expire()
    await happens(at, [replayed()], "50")
    await expect(happens(at, [replayed()], "51")).rejects.toMatchObject({ code: "request_malformed" })
    await orderStop({ scope: { on: "all" }, reason: "by hand" }, act, at)
    expect(await at.broker.stops.inForce()).toHaveLength(401)
  })

  test("ends leases, too, also those that were opened while its stop was on the way", async () => {
    alarms = { token_replayed: { stop: "unit", revoke: true } }
    const ledger = store.ledgers.of(ISSUER, "41")
    await ledger.admit(admission("a"))
    await ledger.settle(minted("a", revocable("vault")))
    await ledger.admit(admission("b"))
    const at = office()
    await happens(at, [replayed()])
    expect((await reasons("41")).at(-1)).toContain("lease.revoking: stopped (unit acme/41 (41)): alarm token_replayed")
    await ledger.settle(minted("b", revocable("vault")))
    // After a restart, too: what is to be done stands in the stops.
    const reader = createAlarms(office())
    expect(await reader.due?.(clock.now().getTime())).toBe(NOW + 5000)
    const ended = (await ledger.auditTrail(0, 100)).filter(({ record }) => record.event === "lease.revoking")
    expect(ended.map(({ record }) => record.lease)).toEqual(["a", "b"])
    clock.advance(81)
    expect(await reader.due?.(clock.now().getTime())).toBeNull()
  })

  test("is silent about the broker's own ledger, and where the organisation file has none", async () => {
    alarms = { token_replayed: { stop: "unit" } }
    await happens(office(), [replayed()], "broker", "https://daypass.example")
    alarms = { lease_not_closed: { stop: "unit", count: 1 } }
    await happens(office(), [replayed()])
    expect(await storedStops(office())).toEqual([])
  })
})
