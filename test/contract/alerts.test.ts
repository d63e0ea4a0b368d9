import { DatabaseSync } from "node:sqlite"
import { Webhook } from "standardwebhooks"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { createNodeHttp } from "../../broker/adapters/node/http.ts"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { SqlMarks } from "../../broker/adapters/sqlite/marks.ts"
import { migrateOperate } from "../../broker/adapters/sqlite/operate/schema.ts"
import { SqlAlertQueue } from "../../broker/adapters/sqlite/outbound/alert-queue.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { EVENT_DATA } from "../../broker/core/events/schema.ts"
import type { AlertEndpoint } from "../../broker/core/policy/schema-outbound.ts"
import { Secret } from "../../broker/core/secret.ts"
import { Alerts } from "../../broker/operate/alerts/alerts.ts"
import { pauseAfter, readRetryAfter } from "../../broker/operate/alerts/schedule.ts"
import type { HealthCheck } from "../../broker/ports/health.ts"
import type { ChainedRecord } from "../../broker/ports/ledger.ts"
import { draft } from "../core/audit-fixture.ts"
import { clockOf } from "../support/clock.ts"
import { type LoopbackServer, readBody, startServer } from "../support/servers.ts"

const LEDGER = { issuerUrl: "https://token.actions.githubusercontent.com", unitId: "41" }
const SECRETS: Record<string, string> = {
  NEW: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
  OLD: `whsec_${Buffer.alloc(24, 9).toString("base64")}`,
  BROKEN: "whsec_short",
}
const HOUR = 3600_000

interface Received {
  readonly path: string
  readonly id: string
  readonly type: string
  readonly data: Record<string, unknown>
}

/** A receiver of foreign make as far as it goes: the library of Standard Webhooks verifies what it accepts. */
class Receiver {
  readonly got: Received[] = []
  readonly attempts: { path: string; id: string; signatures: number }[] = []
  /** The next answers; 204 afterwards. */
  answers: { status: number; headers?: Record<string, string> }[] = []
  /** A path that always fails. */
  down: string | null = null
  server: LoopbackServer | null = null

  async start(): Promise<this> {
    this.server = await startServer(
      async (request, response) => {
        const body = (await readBody(request)) ?? ""
        const headers = request.headers as Record<string, string>
        const path = request.url ?? ""
        const id = headers["webhook-id"] ?? ""
        this.attempts.push({ path, id, signatures: (headers["webhook-signature"] ?? "").split(" ").length })
        const answer = path === this.down ? { status: 503 } : (this.answers.shift() ?? { status: 204 })
        if (answer.status < 300) {
          // Throws for a wrong signature and for a time that is more than five minutes off.
          const event = new Webhook(SECRETS[path === "/old" ? "OLD" : "NEW"] ?? "").verify(body, headers) as Received
          this.got.push({ path, id, type: event.type, data: event.data })
        }
        response.writeHead(answer.status, answer.headers).end()
      },
      () => {},
    )
    return this
  }
}

let receiver: Receiver
let database: DatabaseSync

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-29T10:00:00Z") })
  database = new DatabaseSync(":memory:")
  receiver = await new Receiver().start()
})
afterEach(async () => {
  vi.useRealTimers()
  await receiver.server?.close()
})

function alertsFor(
  endpoints: Record<string, Partial<AlertEndpoint> & { readonly path: string }>,
  health: readonly HealthCheck[] = [],
) {
  const sql = new NodeSql(database)
  migrateOperate(sql)
  const work = async <Value>(one: () => Value) => one()
  const records: string[] = []
  const table = new Map(
    Object.entries(endpoints).map(([name, { path, ...endpoint }]): [string, AlertEndpoint] => [
      name,
      { secret: ["env:NEW"], ...endpoint, url: `${receiver.server?.url}${path}` },
    ]),
  )
  const http = createNodeHttp({ userAgent: "test" })
  const alerts = new Alerts({
    url: "https://broker.example",
    queue: new SqlAlertQueue(sql, work),
    marks: new SqlMarks(sql, work, work),
    clock: clockOf(() => new Date()),
    log: () => {},
    endpoints: async () => table,
    health,
    record: async (reason) => void records.push(reason),
    random: () => 0.5,
    httpFor: () => http,
    secrets: {
      async named(name) {
        const secret = SECRETS[name]
        if (secret === undefined) throw new BrokerError("configuration_invalid", `${name} is not set`)
        return new Secret(secret)
      },
    },
  })
  const pass = (ms: number) => vi.setSystemTime(Date.now() + ms)
  const round = () => alerts.due(Date.now())
  return { alerts, table, records, pass, round }
}

const recordsOf = (...changes: readonly object[]): ChainedRecord[] =>
  changes.map((change, index) => ({
    record: { ...draft(), seq: index + 1, ...change } as ChainedRecord["record"],
    leaf: "",
    chain: "",
  }))

const taken = (alerts: Alerts, ...changes: readonly object[]) =>
  alerts.take({ ledger: LEDGER, records: recordsOf(...changes) })

describe("alerts", () => {
  it("arrive signed, in the form of their schema, once for each event that an endpoint asks for", async () => {
    const { alerts, round } = alertsFor({ all: { path: "/all" }, few: { path: "/few", events: ["stop.ordered"] } })
    const records = [
      { event: "token.replayed" },
      { event: "exchange.minted" },
      { event: "stop.ordered", identity: null, reason: "connection aws-prod: a leak" },
      { event: "lease.revoking", identity: null, lease: "l1", reason: "the granted time is over: aws" },
      { event: "lease.closed", identity: null, lease: "l1", reason: "expires-only: what cannot be revoked lives" },
      { event: "lease.closed", lease: "l2", reason: "revoked" },
      { event: "exchange.minted", grants: [{ ...draft().grants[0], break_glass: { approvals: [] } }] },
    ]
    await taken(alerts, ...records)
    // After a crash, a reader gets the same records again.
    await taken(alerts, ...records)
    await round()
    const told = receiver.got.map(({ path, type }) => `${path} ${type}`).sort()
    expect(told).toEqual([
      "/all break_glass.used",
      "/all lease.left_open",
      "/all stop.ordered",
      "/all token.replayed",
      "/few stop.ordered",
    ])
    for (const { type, data } of receiver.got) {
      EVENT_DATA[type as "token.replayed"].parse(data)
      expect(data["broker"]).toBe("https://broker.example")
    }
    expect(await alerts.look()).toEqual({ state: "ok" })
  })

  it("carry no line break and no invisible character of a name that somebody chose", async () => {
    const { alerts, round } = alertsFor({ all: { path: "/all" } })
    const ref = "refs/heads/a\u2028b\u202e\u0000<!channel>"
    await taken(alerts, { event: "token.replayed", identity: { ...draft().identity, ref, unit: ref.repeat(100) } })
    await round()
    const [got] = receiver.got
    expect(got?.data["ref"]).toBe("refs/heads/a\\u{2028}b\\u{202e}\\u{0}<!channel>")
    expect(String(got?.data["unit"]).length).toBe(512)
  })

  it("count denials in a row over batches, and tell 10 of them once", async () => {
    const { alerts, round } = alertsFor({ all: { path: "/all" } })
    const denied = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({ event: "exchange.denied", seq: from + index }))
    await taken(alerts, ...denied(1, 9), { event: "exchange.minted", seq: 10 }, ...denied(11, 6))
    await round()
    expect(receiver.got).toEqual([])
    await taken(alerts, ...denied(17, 6))
    await round()
    expect(receiver.got.map(({ type, data }) => [type, data["denials"], data["seq"]])).toEqual([
      ["denials.repeated", 10, 20],
    ])
  })

  it("are tried again after growing pauses with a fresh time, and given up after three days, which is told and recorded", async () => {
    const { alerts, round, pass, records } = alertsFor({
      down: { path: "/down", events: ["keys.changed", "alert.failed"] },
      other: { path: "/other", events: ["alert.failed"] },
    })
    receiver.down = "/down"
    const begun = Date.now()
    await taken(alerts, { event: "keys.changed" })
    const pauses: number[] = []
    for (let due = await round(); due !== null; due = await round()) {
      pauses.push(due - Date.now())
      pass(due - Date.now())
    }
    expect(pauses.slice(0, 3)).toEqual([5000, 300_000, 1_800_000])
    expect(Date.now() - begun).toBeGreaterThan(72 * HOUR)
    expect(new Set(receiver.attempts.filter(({ path }) => path === "/down").map(({ id }) => id)).size).toBe(1)
    expect(records).toEqual([
      "alert endpoint down: a message was given up after 10 attempts: the endpoint answered 503",
    ])
    await round()
    expect(receiver.got).toMatchObject([{ path: "/other", data: { endpoint: "down", lost: 1 } }])
  })

  it("wait for one endpoint in a bounded number, whatever jobs cause while it is down", async () => {
    const { alerts, round, pass } = alertsFor({ all: { path: "/all" } })
    receiver.down = "/all"
    const change = { event: "token.replayed" }
    await taken(alerts, ...Array(10_001).fill(change))
    const waiting = async () => (await alerts.view())[0]?.waiting
    expect(await waiting()).toBe(10_000)
    await taken(alerts, ...Array(10_002).fill({ ...change, identity: null }))
    expect(await waiting()).toBe(10_000)
    receiver.down = null
    pass(5000)
    await round()
    // What has arrived makes room.
    expect(await waiting()).toBe(9992)
  })

  it("wait as long as Retry-After says, and no shorter", async () => {
    const { alerts, round } = alertsFor({ all: { path: "/all" } })
    receiver.answers = [{ status: 429, headers: { "retry-after": "120" } }]
    await taken(alerts, { event: "keys.changed" })
    expect(await round()).toBe(Date.now() + 120_000)
    expect(await round()).toBe(Date.now() + 120_000)
    expect(receiver.attempts).toHaveLength(1)
  })

  it("stop for an endpoint that answers 410, which the others are told, until an operator's test arrives", async () => {
    const { alerts, round, records } = alertsFor({
      gone: { path: "/gone", events: ["keys.changed"] },
      other: { path: "/other", events: ["alert.failed"] },
    })
    receiver.answers = [{ status: 410 }]
    await taken(alerts, { event: "keys.changed" }, { event: "keys.changed", seq: 2 })
    await round()
    await round()
    await alerts.idle()
    expect(records).toEqual([expect.stringMatching(/^alert endpoint gone: it answered 410/)])
    expect(
      receiver.got.filter(({ path }) => path === "/other").map(({ type, data }) => [type, data["endpoint"]]),
    ).toEqual([["alert.failed", "gone"]])
    expect(await alerts.look()).toMatchObject({ state: "degraded" })
    await taken(alerts, { event: "keys.changed", seq: 3 })
    expect((await alerts.view()).map(({ waiting }) => waiting)).toEqual([0, 0])

    expect(await alerts.test("nobody")).toBeNull()
    expect(await alerts.test("gone")).toEqual({ ended: "delivered" })
    await taken(alerts, { event: "keys.changed", seq: 4 })
    await round()
    expect(receiver.got.at(-1)).toMatchObject({ path: "/gone", data: { seq: 4 } })
    expect(await alerts.look()).toEqual({ state: "ok" })
  })

  it("have two signatures while a secret is replaced, so that both kinds of receivers accept them", async () => {
    const { alerts, round } = alertsFor({
      old: { path: "/old", secret: ["env:NEW", "env:OLD"] },
      updated: { path: "/updated", secret: ["env:NEW", "env:OLD"] },
    })
    await taken(alerts, { event: "keys.changed" })
    await round()
    expect(receiver.got.map(({ path }) => path).sort()).toEqual(["/old", "/updated"])
    expect(receiver.attempts.map(({ signatures }) => signatures)).toEqual([2, 2])
  })

  it("say what is wrong with a secret, without the secret, and follow no redirect", async () => {
    const { alerts, table } = alertsFor({
      broken: { path: "/a", secret: ["env:BROKEN"] },
      unset: { path: "/b", secret: ["env:UNSET"] },
      moved: { path: "/c" },
    })
    expect(await alerts.test("broken")).toMatchObject({
      ended: "failed",
      why: expect.stringMatching(/^The secret BROKEN .*openssl/),
    })
    expect(JSON.stringify(await alerts.test("broken"))).not.toContain("short")
    expect(await alerts.test("unset")).toMatchObject({ ended: "failed", why: "UNSET is not set" })
    receiver.answers = [{ status: 302, headers: { location: `${receiver.server?.url}/elsewhere` } }]
    expect(await alerts.test("moved")).toMatchObject({ ended: "failed", why: expect.stringContaining("redirect") })
    expect(receiver.attempts.map(({ path }) => path)).toEqual(["/c"])
    expect(table.size).toBe(3)
  })

  it("survive the broker: what was taken and not settled is sent by the next one, under the same id", async () => {
    const first = alertsFor({ all: { path: "/all" } })
    await taken(first.alerts, { event: "token.unbound" })
    const sql = new NodeSql(database)
    const lost = new SqlAlertQueue(sql, async (one) => one())
    const [message] = await lost.take(Date.now(), Date.now() + 60_000, 10)
    const second = alertsFor({ all: { path: "/all" } })
    await second.round()
    expect(receiver.got).toEqual([])
    second.pass(60_000)
    await second.round()
    expect(receiver.got.map(({ id }) => id)).toEqual([message?.id])
  })

  it("tell trouble of the broker's parts once for as long as it lasts, and again when it comes back", async () => {
    let since = "2026-11-29T09:00:00.000Z"
    const check: HealthCheck = {
      part: "leases",
      look: async () => ({ state: "degraded", reason: "3 leases are over and not ended yet", since }),
    }
    const keys: HealthCheck = { part: "keys", look: async () => ({ state: "unavailable", reason: "no key", since }) }
    const witnesses: HealthCheck = {
      part: "witnesses",
      look: async () => ({ state: "degraded", reason: "the witness w does not cosign", since }),
    }
    const { round } = alertsFor({ all: { path: "/all" } }, [check, keys, witnesses])
    await round()
    await round()
    since = "2026-11-29T09:30:00.000Z"
    await round()
    expect(receiver.got.map(({ type }) => type).sort()).toEqual([
      "health.degraded",
      "health.degraded",
      "leases.overdue",
      "leases.overdue",
      "witness.unreachable",
      "witness.unreachable",
    ])
  })
})

describe("the pauses between attempts", () => {
  it("grow, with some jitter, over more than three days", () => {
    const pauses = Array.from({ length: 9 }, (_, index) => pauseAfter(index + 1, null, 0.5) ?? 0)
    expect(pauses[0]).toBe(5000)
    expect([...pauses].sort((a, b) => a - b)).toEqual(pauses)
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(72 * HOUR)
    expect(pauseAfter(10, null, 0.5)).toBeNull()
    expect([pauseAfter(1, null, 0), pauseAfter(1, null, 1)]).toEqual([4000, 6000])
    expect(pauseAfter(1, 1e12, 0.5)).toBe(24 * HOUR)
  })

  it.each([
    ["120", 120_000],
    ["Thu, 01 Jan 1970 00:01:00 GMT", 60_000],
    ["Wed, 31 Dec 1969 23:00:00 GMT", 0],
    ["soon", null],
    ["-5", null],
    ["1e9", null],
    [null, null],
  ])("read Retry-After %s as %s", (value, ms) => {
    expect(readRetryAfter(value, 0)).toBe(ms)
  })
})
