import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { AuditDraft, AuditEvent } from "../../broker/core/audit-record.ts"
import { Follower } from "../../broker/operate/follow.ts"
import type { Ledgers } from "../../broker/ports/ledger.ts"
import type { OperateStore } from "../../broker/ports/operate-store.ts"
import type { FoundRecord, RecordQuery } from "../../broker/ports/record-index.ts"
import { TestClock } from "../support/clock.ts"
import { NOW, record } from "./ledger-samples.ts"

export interface RecordIndexFixture {
  ledgers(): Ledgers
  operate(): OperateStore
  /** Ends the process that holds the store and starts another one over the same storage. */
  restart(): Promise<void>
}

const ISSUERS = ["https://ci.example", "https://other.example"] as const
const UNITS = ["1", "2", "3"] as const
const EVENTS: readonly AuditEvent[] = ["exchange.minted", "exchange.denied", "lease.closed"]
const CONNECTIONS = ["aws", "npm", "vault"] as const

/** A record of a small world, so that every search has several answers. `number` makes it up. */
function sample(issuer: string, unitId: string, number: number, random: () => number): AuditDraft {
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value
  const event = pick(EVENTS)
  const connections = [...new Set([pick(CONNECTIONS), pick(CONNECTIONS)])]
  return {
    // Over three months, so that the index has several segments; four of them at the same time.
    ...record(event, `lease ${Math.floor(number / 2)}`, Math.floor(number / 4) * 4 * 86_400_000),
    request_id: `request ${unitId} ${number}`,
    reason: event === "exchange.denied" ? pick(["not_allowed", "open_leases: quota_exceeded"]) : "minted",
    identity:
      event === "lease.closed"
        ? null
        : {
            ...{ issuer, unit_kind: "repository", unit: `acme/repo-${unitId}`, unit_id: unitId },
            ...{ owner: `owner ${unitId === "3" ? "B" : "A"}`, owner_id: unitId === "3" ? "20" : "10" },
            ...{ environment: null, ref: null, event: null, actor: pick(["ann", "bob"]), actor_id: null },
            ...{ run_id: `${number % 5}`, run_attempt: "1" },
          },
    grants: connections.map((connection) => ({
      ...{ name: `to ${connection}`, connection, provider: "x", resource: `at ${connection}`, ttl_seconds: 60 },
      fingerprints: { token: `hash ${connection} ${number % 3}` },
      ids: { key: `AKIA${number}` },
    })),
  }
}

interface Known extends Pick<FoundRecord, "issuerUrl" | "unitId"> {
  readonly record: AuditDraft
}

/** What a record has under each field of a search: the meaning of a search, without an index. */
const values = ({ record: one, unitId }: Known): Readonly<Record<string, readonly (string | null | undefined)[]>> => ({
  unit: [`acme/repo-${unitId}`],
  unitId: [unitId],
  owner: [unitId === "3" ? "owner B" : "owner A"],
  ownerId: [unitId === "3" ? "20" : "10"],
  actor: [one.identity?.actor],
  grant: one.grants.map(({ name }) => name),
  connection: one.grants.map(({ connection }) => connection),
  resource: one.grants.map(({ resource }) => resource),
  code: one.reason.split(": "),
  event: [one.event],
  lease: [one.lease],
  run: [one.identity?.run_id],
  fingerprint: one.grants.flatMap((grant) => [grant.fingerprints?.["token"], grant.ids?.["key"]]),
  requestId: [one.request_id],
})

function isMeant(
  known: Known,
  { cursor: _, limit: __, since = 0, until = Infinity, scope = {}, ...terms }: RecordQuery,
) {
  const at = Date.parse(known.record.at)
  const has = values(known)
  const ownerId = has["ownerId"]?.[0]
  const { owners, units, connections } = scope
  return (
    at >= since &&
    at < until &&
    Object.entries(terms).every(([field, value]) => has[field]?.includes(value as string)) &&
    ((owners === undefined && units === undefined) ||
      owners?.some((one) => one.issuerUrl === known.issuerUrl && one.ownerId === ownerId) ||
      units?.some((one) => one.issuerUrl === known.issuerUrl && one.unitId === known.unitId)) &&
    (connections === undefined || known.record.grants.every((grant) => connections.includes(grant.connection)))
  )
}

const DAY = 86_400_000
const queries: fc.Arbitrary<Omit<RecordQuery, "limit">> = fc.record(
  {
    unit: fc.constantFrom("acme/repo-1", "acme/repo-3", "acme/none"),
    unitId: fc.constantFrom(...UNITS),
    owner: fc.constantFrom("owner A", "owner B"),
    ownerId: fc.constantFrom("10", "20"),
    actor: fc.constantFrom("ann", "bob"),
    grant: fc.constantFrom("to aws", "to npm"),
    connection: fc.constantFrom(...CONNECTIONS),
    resource: fc.constantFrom("at aws", "at vault"),
    code: fc.constantFrom("not_allowed", "quota_exceeded", "open_leases", "minted"),
    event: fc.constantFrom(...EVENTS),
    lease: fc.constantFrom("lease 3", "lease 7"),
    run: fc.constantFrom("0", "4"),
    fingerprint: fc.constantFrom("hash aws 1", "AKIA7", "none"),
    requestId: fc.constantFrom("request 1 5", "none"),
    since: fc.constantFrom(NOW + 10 * DAY, NOW + 40 * DAY),
    until: fc.constantFrom(NOW + 20 * DAY, NOW + 40 * DAY),
    scope: fc.record(
      {
        owners: fc.constantFrom([], [{ issuerUrl: ISSUERS[0], ownerId: "10" }]),
        units: fc.constantFrom([], [{ issuerUrl: ISSUERS[1], unitId: "3" }]),
        connections: fc.constantFrom([], ["aws"], ["aws", "npm"]),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
)

/** What every store of what follows the ledgers must do. */
export function recordIndexContract(name: string, fixture: RecordIndexFixture): void {
  const follow = async () => {
    const { places, indexReader } = fixture.operate()
    expect(await fixture.operate().leads()).toBe(true)
    const parts = { store: places, ledgers: fixture.ledgers(), readers: [indexReader], clock: new TestClock(NOW) }
    const follower = new Follower({ ...parts, log: () => {} })
    await fixture.operate().lookForNew()
    while ((await follower.round(5)).goesOn) {}
  }
  const all = async (query: Omit<RecordQuery, "limit">, limit: number) => {
    const found: FoundRecord[] = []
    let cursor: string | null | undefined
    do {
      const page = await fixture.operate().index.search({ ...query, limit, ...(cursor ? { cursor } : {}) })
      expect(page.found.length).toBeLessThanOrEqual(limit)
      found.push(...page.found)
      cursor = page.next
    } while (cursor !== null)
    return found
  }
  const known: Known[] = []
  const idOf = ({ issuerUrl, record: one }: Pick<Known, "issuerUrl" | "record">) => `${issuerUrl} ${one.request_id}`

  describe(`the index ${name}`, () => {
    test("finds all that was recorded, newest first, and goes on after a restart", async () => {
      let seed = 1
      const random = () => {
        seed = (seed * 16_807) % 2_147_483_647
        return seed / 2_147_483_647
      }
      for (const half of [0, 1]) {
        for (let number = half * 40; number < half * 40 + 40; number++) {
          const appended = ISSUERS.flatMap((issuerUrl) => UNITS.map((unitId) => ({ issuerUrl, unitId }))).map((key) => {
            // The first record tells the names, which later records without a job are found by.
            const audit = sample(key.issuerUrl, key.unitId, number, number === 0 ? () => 0 : random)
            known.push({ ...key, record: audit })
            return fixture.ledgers().of(key.issuerUrl, key.unitId).append(audit)
          })
          await Promise.all(appended)
        }
        await follow()
        await fixture.restart()
      }
      await follow()
      const found = await all({}, 100)
      expect(found.map(idOf).sort()).toEqual(known.map(idOf).sort())
      const times = found.map(({ record: one }) => Date.parse(one.at))
      expect(times).toEqual([...times].sort((one, other) => other - one))
      const { record: newest, leaf, ...key } = found[0] as FoundRecord
      const [stored] = await fixture
        .ledgers()
        .of(key.issuerUrl, key.unitId)
        .auditTrail(newest.seq - 1, 1)
      expect({ record: newest, leaf }).toEqual({ record: stored?.record, leaf: stored?.leaf })
    })

    test("finds by any terms what reading all records finds, in pages of any size", async () => {
      await fc.assert(
        fc.asyncProperty(queries, fc.integer({ min: 1, max: 60 }), async (query, limit) => {
          const meant = known.filter((one) => isMeant(one, { ...query, limit }))
          expect((await all(query, limit)).map(idOf).sort()).toEqual(meant.map(idOf).sort())
        }),
        { numRuns: 120 },
      )
    })

    test("counts the records of each hour by their events", async () => {
      const span = { since: NOW, until: NOW + 5 * DAY, owner: "owner B" }
      const { hours, complete } = await fixture.operate().index.hours(span)
      const expected = new Map<number, Record<string, number>>()
      for (const one of known.filter((candidate) => isMeant(candidate, { ...span, limit: 1 }))) {
        const hour = Math.floor(Date.parse(one.record.at) / 3_600_000) * 3_600_000
        const events = expected.get(hour) ?? {}
        events[one.record.event] = (events[one.record.event] ?? 0) + 1
        expected.set(hour, events)
      }
      expect(complete).toBe(true)
      expect(hours).toEqual(
        [...expected].sort(([one], [other]) => one - other).map(([hour, events]) => ({ hour, events })),
      )
    })

    test("knows when a unit last used its grants and connections", async () => {
      const key = { issuerUrl: ISSUERS[0], unitId: "2" }
      const uses = new Map<string, number>()
      for (const { record: one, ...of } of known) {
        if (of.issuerUrl !== key.issuerUrl || of.unitId !== key.unitId || one.event !== "exchange.minted") continue
        for (const { name: grant, connection } of one.grants) {
          for (const use of [`grant ${grant}`, `connection ${connection}`]) {
            uses.set(use, Math.max(uses.get(use) ?? 0, Date.parse(one.at)))
          }
        }
      }
      const found = await fixture.operate().index.lastUse(key)
      expect(new Map(found.map(({ kind, name: used, at }) => [`${kind} ${used}`, at]))).toEqual(uses)
      expect(await fixture.operate().index.lastUse({ ...key, unitId: "9" })).toEqual([])
    })

    test("lists the ledgers with their names, in pages", async () => {
      const { directory } = fixture.operate()
      const listed = []
      let after: string | null | undefined
      do {
        const page: Awaited<ReturnType<typeof directory.list>> = await directory.list({
          limit: 4,
          ...(after ? { after } : {}),
        })
        listed.push(...page.ledgers)
        after = page.next
      } while (after !== null)
      const ours = listed.filter(({ issuerUrl }) => ISSUERS.some((issuer) => issuer === issuerUrl))
      expect(ours).toHaveLength(ISSUERS.length * UNITS.length)
      const entry = await directory.entry({ issuerUrl: ISSUERS[1], unitId: "3" })
      expect(ours).toContainEqual(entry)
      expect(entry).toMatchObject({ unit: "acme/repo-3", owner: "owner B", ownerId: "20", seq: 80 })
    })

    test("refuses a cursor that is none", async () => {
      const refused = { code: "request_malformed" }
      await expect(fixture.operate().index.search({ limit: 1, cursor: "x" })).rejects.toMatchObject(refused)
      await expect((async () => fixture.operate().directory.list({ limit: 1, after: "x" }))()).rejects.toMatchObject(
        refused,
      )
    })

    test("tells in numbers how far its readers are", async () => {
      await follow()
      const { places, indexReader } = fixture.operate()
      const { name } = indexReader
      const before = await places.totals([name])
      expect(before.ledgers).toBeGreaterThanOrEqual(ISSUERS.length * UNITS.length)
      expect(before.behind).toEqual({ [name]: 0 })
      await fixture
        .ledgers()
        .of(ISSUERS[0], "1")
        .append(sample(ISSUERS[0], "1", 200, () => 0))
      await fixture.operate().lookForNew()
      const { behind, ledgers, latestAt } = await places.totals([name, "a new one"])
      expect([behind[name], ledgers]).toEqual([1, before.ledgers])
      expect(behind["a new one"]).toBeGreaterThan(6 * 80)
      expect(latestAt).toBe(NOW + 200 * DAY)
      await follow()
      expect((await places.totals([name])).behind).toEqual({ [name]: 0 })
    })
  })
}
