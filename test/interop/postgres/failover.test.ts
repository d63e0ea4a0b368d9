import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, expect, test } from "vitest"
import type { NodeStore } from "../../../broker/adapters/node/ledgers.ts"
import { sha256 } from "../../../broker/adapters/node/sha256.ts"
import { openPostgresStore } from "../../../broker/adapters/postgres/ledgers.ts"
import type { Log } from "../../../broker/ports/log.ts"
import { admission, denial, MINUTE, NOW } from "../../contract/ledger-samples.ts"
import { type Postgres, startPostgres } from "../postgres.ts"
import { addressOf, DEPLOYMENT } from "./database.ts"

const ISSUER = "https://issuer.example"

const servers: Postgres[] = []
const stores: NodeStore[] = []
let log: Parameters<Log>[0][] = []
/** The brokers' clock: the samples' tokens are issued at NOW. */
let now = NOW

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  await Promise.all(servers.splice(0).map((server) => server.close()))
  log = []
  now = NOW
})

async function start(options: Parameters<typeof startPostgres>[0]): Promise<Postgres> {
  const server = await startPostgres(options)
  servers.push(server)
  return server
}

async function open(url: string): Promise<NodeStore> {
  const store = await openPostgresStore(addressOf(url), {
    deployment: DEPLOYMENT,
    sha256,
    log: (event) => void log.push(event),
    now: () => now,
  })
  stores.push(store)
  return store
}

/** A URL with several hosts, as libpq reads it. */
const urlOf = (...all: readonly Postgres[]) =>
  `postgres://postgres:${all[0]?.password}@${all.map(({ port }) => `127.0.0.1:${port}`).join(",")}/postgres`

const ledger = (store: NodeStore) => store.ledgers.of(ISSUER, "41")
const rolledBack = () => log.filter((event) => "event" in event && event.event === "ledger.rolled_back")
/** A token of a later time. */
const later = (lease: string, minutes: number) => {
  const issuedAt = (NOW + minutes * MINUTE) / 1000
  const asked = admission(lease)
  return { ...asked, token: { ...asked.token, issuedAt, expiresAt: issuedAt + 600 }, now: NOW + minutes * MINUTE }
}

/** Waits until a call is answered again after a failover. */
async function settled<Value>(call: () => Promise<Value>): Promise<Value> {
  let value: Value | undefined
  await expect
    .poll(async () => {
      value = await call().catch(() => undefined)
      return value !== undefined
    })
    .toBe(true)
  return value as Value
}

test("after a standby was promoted that had missed commits, tokens issued before are refused, by every broker", async () => {
  const primary = await start({ settings: ["wal_level=replica"] })
  const standby = await start({ settings: ["hot_standby=on"], standbyOf: primary })
  const [one, other] = [await open(urlOf(primary, standby)), await open(urlOf(primary, standby))]
  await ledger(one).admit(denial("seen by both"))
  await expect.poll(() => standby.query("SELECT count(*) FROM daypass.audit")).toBe("1")
  // The standby misses this one.
  await standby.crash()
  expect(await ledger(one).admit(admission("a", "missing"))).toEqual({ outcome: "admitted" })
  await primary.crash()
  await standby.start()

  expect(await one.health.look()).toMatchObject({ state: "unavailable" })
  await expect(
    openPostgresStore(addressOf(standby.url("postgres")), { deployment: DEPLOYMENT, sha256 }),
  ).rejects.toMatchObject({
    detail: expect.stringMatching(/read-only/),
  })
  await standby.query("SELECT pg_promote()")

  // The broker that did not see the token's first use refuses it, too.
  expect(await settled(() => ledger(other).admit(admission("b", "missing")))).toEqual({ outcome: "too-old" })
  expect(await settled(() => ledger(one).admit(admission("b", "missing")))).toEqual({ outcome: "too-old" })
  expect(rolledBack()).toEqual([expect.objectContaining({ detail: expect.stringMatching(/promoted.*issued before/) })])
  now = NOW + 2 * MINUTE
  expect(await ledger(one).admit(later("c", 2))).toEqual({ outcome: "admitted" })
  expect(await ledger(other).admit(later("c", 2))).toEqual({ outcome: "already-used" })
})

test("after a synchronous standby was promoted, nothing is missing and nothing is refused", async () => {
  const primary = await start({ settings: ["wal_level=replica", "synchronous_standby_names=*"] })
  const standby = await start({ settings: ["hot_standby=on"], standbyOf: primary })
  const store = await open(urlOf(primary, standby))
  expect(await ledger(store).admit(admission("a"))).toEqual({ outcome: "admitted" })
  await primary.crash()
  await standby.query("SELECT pg_promote()")
  expect(await settled(() => ledger(store).admit(admission("b", "token of a")))).toEqual({ outcome: "already-used" })
  expect(await ledger(store).admit(admission("c"))).toEqual({ outcome: "admitted" })
  expect(rolledBack()).toEqual([])
})

test("a database that was set back on the same line of history is noticed by the broker that knew more", async () => {
  const server = await start({ settings: [] })
  const store = await open(server.url("postgres"))
  await ledger(store).admit(denial("before the copy"))
  await server.crash()
  const copy = mkdtempSync(join(tmpdir(), "daypass-copy-"))
  cpSync(server.data, copy, { recursive: true })
  await server.start()
  expect(await settled(() => ledger(store).admit(admission("a")))).toEqual({ outcome: "admitted" })
  await server.crash()
  rmSync(server.data, { recursive: true })
  cpSync(copy, server.data, { recursive: true })
  server.own()
  await server.start()
  rmSync(copy, { recursive: true })
  expect(await settled(() => ledger(store).admit(admission("b", "token of a")))).toEqual({ outcome: "too-old" })
  expect(rolledBack()).toEqual([expect.objectContaining({ detail: expect.stringMatching(/chain is shorter/) })])
  expect(await store.health.look()).toMatchObject({ state: "degraded", reason: expect.stringMatching(/set back/) })
})

test("a restored database is told so by its operator, or by the identity of its new server", async () => {
  const server = await start({ settings: [] })
  const store = await open(server.url("postgres"))
  expect(await ledger(store).admit(admission("a"))).toEqual({ outcome: "admitted" })
  await server.query("UPDATE daypass.store SET timeline = 'restored'")
  expect(await ledger(store).admit(admission("b"))).toEqual({ outcome: "too-old" })
  expect(rolledBack()).toHaveLength(1)
  now = NOW + 2 * MINUTE
  expect(await ledger(store).admit(later("c", 2))).toEqual({ outcome: "admitted" })
  await server.query("UPDATE daypass.store SET system_id = '1'")
  const next = await open(server.url("postgres"))
  expect(await ledger(next).admit(later("d", 2))).toEqual({ outcome: "too-old" })
  expect(rolledBack().at(-1)).toMatchObject({ detail: expect.stringMatching(/restored into another server/) })
})
