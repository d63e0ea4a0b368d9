import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { openPolicyFolder, type PolicyFolder } from "../../../broker/adapters/node/policy-folder.ts"
import { sha256 } from "../../../broker/adapters/node/sha256.ts"
import { openPostgresStore } from "../../../broker/adapters/postgres/ledgers.ts"
import { PostgresNotices } from "../../../broker/adapters/postgres/notices.ts"
import { createPolicyPeers } from "../../../broker/entry/policy-peers.ts"
import type { BrokerEvent } from "../../../broker/ports/log.ts"
import type { NodeStore } from "../../../broker/ports/node-store.ts"
import type { Notice } from "../../../broker/ports/notices.ts"
import { ORGANISATION, policyOf, TEST_PROVIDERS } from "../../core/policy/support.ts"
import { TestClock } from "../../support/clock.ts"
import { addressOf, DEPLOYMENT, makeDatabase, type TestDatabase } from "./database.ts"
import { startPgBouncer } from "./pgbouncer.ts"
import { startProxy } from "./proxy.ts"

const [OLD, NEW] = ["0".repeat(64), "1".repeat(64)]

let base: string
let database: TestDatabase
let closing: (() => unknown)[]

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "daypass-notices-"))
  database = await makeDatabase()
  closing = []
})
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  await database.close()
  rmSync(base, { recursive: true })
})

/** A store that listens; `heard` has what it heard, and `"missed"` when it may have missed something. */
async function open(url = database.url) {
  const events: BrokerEvent[] = []
  const log = (event: unknown) => void events.push(event as BrokerEvent)
  const store = await openPostgresStore(addressOf(url), { deployment: DEPLOYMENT, sha256, log })
  closing.push(() => store.close())
  const heard: (Notice | "missed")[] = []
  const start = () =>
    store.notices?.start(OLD, { heard: (notice) => void heard.push(notice), missed: () => void heard.push("missed") })
  return { store, events, log, heard, start }
}
const versions = (heard: readonly (Notice | "missed")[]) => heard.map((one) => (one === "missed" ? one : one.policies))
const listening = async () => {
  const rows = await database.admin`SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'
    AND datname = current_database()`
  return rows.map(({ pid }) => Number(pid))
}

const through = (port: number) => database.url.replace(/:\d+\//, `:${port}/`)

test("policies that change in one broker's folder make the other look at its own, which was written a moment later", async () => {
  const write = (name: string, rule: string) => {
    mkdirSync(join(base, name), { recursive: true })
    writeFileSync(join(base, name, "daypass.yaml"), ORGANISATION)
    const deny = `deny:\n  - name: ${rule}\n    when: { ref: refs/heads/main }\n`
    writeFileSync(join(base, name, "shop.yaml"), policyOf(deny))
  }
  /** Whose folder gives no events and is not looked at by itself, as on a network file system between two looks. */
  const follow = async ({ store, log }: { store: NodeStore; log: (event: unknown) => void }, name: string) => {
    write(name, "first")
    const folder = await openPolicyFolder(join(base, name), TEST_PROVIDERS, {
      isWatching: false,
      pollMs: 3_600_000,
      now: () => Date.now() + 60_000,
      quietMs: 100,
      onReload: (outcome) => outcome.ok && store.notices?.tell(outcome.value.version),
    })
    closing.push(() => folder.close())
    store.notices?.start(folder.status().version ?? "", createPolicyPeers(folder, new TestClock(0), log))
    return folder
  }
  const [one, other] = [await open(), await open()]
  const folders: PolicyFolder[] = [await follow(one, "one"), await follow(other, "other")]
  const [first, second] = folders as [PolicyFolder, PolicyFolder]
  await expect.poll(listening).toHaveLength(2)
  // The looks after each connection are over.
  await new Promise((resolve) => setTimeout(resolve, 4000))

  write("one", "urgent")
  await first.reload()
  await expect.poll(() => first.reload()).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(second.status().version).not.toBe(first.status().version)
  write("other", "urgent")
  await expect.poll(() => second.status().version, { timeout: 10_000 }).toBe(first.status().version)
}, 30_000)

test("what other programs write into the channel is ignored, and a notice is heard by all but its sender", async () => {
  const [one, other] = [await open(), await open()]
  one.start()
  await expect.poll(() => versions(one.heard)).toEqual(["missed"])
  other.start()
  await expect.poll(() => versions(one.heard)).toContain(OLD)
  one.heard.length = 0
  const broker = crypto.randomUUID()
  const foreign = [
    "",
    "text",
    "null",
    "x".repeat(7000),
    JSON.stringify({ v: 2, broker, policies: NEW }),
    JSON.stringify({ v: 1, broker, stop: "everything" }),
    JSON.stringify({ v: 1, broker, policies: "../other" }),
    JSON.stringify({ v: 1, broker: "x", policies: NEW }),
    JSON.stringify({ v: 1, broker, policies: NEW, more: "x".repeat(300) }),
  ]
  for (const payload of foreign) await database.admin`SELECT pg_notify('daypass', ${payload})`
  other.store.notices?.tell(NEW)
  await expect.poll(() => versions(one.heard)).toEqual([NEW])
})

test("a connection that was cut is made again, and what was missed meanwhile is looked for", async () => {
  const { heard, events, start } = await open()
  start()
  await expect.poll(() => heard).toEqual(["missed"])
  const [pid = 0] = await listening()
  await database.admin`SELECT pg_terminate_backend(${pid})`
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual(["missed", "missed"])
  expect(await listening()).not.toContain(pid)
  expect(events.filter(({ event }) => event.startsWith("notices."))).toEqual([])
}, 20_000)

test("a connection on which nothing comes any more is noticed, because a broker must hear itself", async () => {
  const proxy = await startProxy(Number(new URL(database.url).port))
  closing.push(() => proxy.close())
  const events: string[] = []
  let missed = 0
  const notices = new PostgresNotices({
    address: addressOf(through(proxy.port)),
    broker: crypto.randomUUID(),
    notify: (channel, payload) => database.admin`SELECT pg_notify(${channel}, ${payload})`,
    log: (event) => void ("event" in event && events.push(event.event)),
    everyMs: 100,
  })
  closing.push(() => notices.close())
  notices.start(OLD, { heard: () => {}, missed: () => void missed++ })
  await expect.poll(() => missed).toBe(1)
  proxy.cut = "silent"
  await expect.poll(listening, { timeout: 10_000 }).toEqual([])
  proxy.cut = "none"
  await expect.poll(() => missed, { timeout: 10_000 }).toBe(2)
  expect(events).toEqual([])
}, 30_000)

test("a LISTEN that was accepted and delivers nothing is said once, and that it delivers again", async () => {
  const events: BrokerEvent[] = []
  let channel = "elsewhere"
  const notices = new PostgresNotices({
    address: database.address,
    broker: crypto.randomUUID(),
    notify: (_, payload) => database.admin`SELECT pg_notify(${channel}, ${payload})`,
    log: (event) => void events.push(event as BrokerEvent),
  })
  closing.push(() => notices.close())
  notices.start(OLD, { heard: () => {}, missed: () => {} })
  await expect.poll(() => events, { timeout: 10_000 }).toHaveLength(1)
  expect(events[0]).toMatchObject({ event: "notices.unheard", detail: expect.stringMatching(/did not come back/) })
  channel = "daypass"
  await expect.poll(() => events.map(({ event }) => event), { timeout: 10_000 }).toContain("notices.heard")
  expect(events).toHaveLength(2)
}, 30_000)

test("behind PgBouncer in transaction mode it is said once that nothing is heard; no server process is left listening; others hear it", async () => {
  const pooler = await startPgBouncer(new URL(database.url))
  closing.push(() => pooler.close())
  const direct = await open()
  direct.start()
  const pooled = await open(through(pooler.port))
  pooled.start()
  await expect.poll(() => pooled.events.map(({ event }) => event)).toEqual(["notices.unheard"])
  expect(pooled.events[0]?.detail).toMatch(/a pooler is between/)
  await expect.poll(() => direct.heard).toHaveLength(2)
  expect(pooled.heard).toEqual([])
  expect(await listening()).toHaveLength(1)
  await new Promise((resolve) => setTimeout(resolve, 2500))
  expect(pooled.events).toHaveLength(1)
}, 20_000)
