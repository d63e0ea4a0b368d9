// Longer than most files on purpose: all that can befall a database and its brokers in the middle of their work.

import { spawn } from "node:child_process"
import { pathToFileURL } from "node:url"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import type { NodeStore } from "../../../broker/adapters/node/ledgers.ts"
import { sha256 } from "../../../broker/adapters/node/sha256.ts"
import { openPostgresStore } from "../../../broker/adapters/postgres/ledgers.ts"
import type { SweptLedger } from "../../../broker/ports/ledger.ts"
import { admission, HOUR, MINUTE, minted, NOW, revocable, revocation, revoked } from "../../contract/ledger-samples.ts"
import { exportTrail } from "../../support/export-trail.ts"
import { verifyChain } from "../../support/verify-chain.ts"
import { type Postgres, startPostgres } from "../postgres.ts"
import { addressOf, DEPLOYMENT } from "./database.ts"
import { type CuttingProxy, startProxy } from "./proxy.ts"

const ISSUER = "https://issuer.example"
const WIDE = { max: 1_000_000, source: "a test" }
const LIMITS = { ...admission("").limits, exchangesPerMinute: WIDE, openLeases: WIDE }

let server: Postgres
let unit = 0
let stores: NodeStore[] = []

beforeAll(async () => {
  server = await startPostgres({ settings: [] })
})
afterAll(() => server.close())
beforeEach(() => {
  unit += 1
})
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()))
  stores = []
})

async function open(url = server.url("postgres")): Promise<NodeStore> {
  const store = await openPostgresStore(addressOf(url), { deployment: DEPLOYMENT, sha256 })
  stores.push(store)
  return store
}
const ledgerOf = (store: NodeStore) => store.ledgers.of(ISSUER, `${unit}`) as SweptLedger

/** The events of this test's ledger, whose chain is whole. */
async function events(store: NodeStore) {
  const trail = await ledgerOf(store).auditTrail(0, 100_000)
  const file = new TextEncoder().encode(exportTrail({ issuer: ISSUER, unit_id: `${unit}` }, trail))
  expect(verifyChain([file])).toMatchObject({ ok: true })
  return trail.map(({ record }) => record)
}

describe("a connection to the database", () => {
  let proxy: CuttingProxy
  beforeEach(async () => {
    proxy = await startProxy(server.port)
  })
  afterEach(() => proxy.close())
  const throughProxy = () => server.url("postgres").replace(`:${server.port}/`, `:${proxy.port}/`)

  test("that is cut before the commit: nothing was recorded, and the same token is taken afterwards", async () => {
    const store = await open(throughProxy())
    await ledgerOf(store).admit(admission("first"))
    proxy.cut = "before-commit"
    await expect(ledgerOf(store).admit(admission("a"))).rejects.toMatchObject({ code: "ledger_unavailable" })
    proxy.cut = "none"
    expect(await ledgerOf(store).admit(admission("a"))).toEqual({ outcome: "admitted" })
    expect(await events(store)).toHaveLength(2)
  })

  test("that is cut before the commit's answer: the call fails, and its token is used up all the same", async () => {
    const store = await open(throughProxy())
    await ledgerOf(store).admit(admission("first"))
    proxy.cut = "after-commit"
    await expect(ledgerOf(store).admit(admission("a"))).rejects.toMatchObject({
      code: "ledger_unavailable",
      detail: "The database cannot be reached.",
    })
    proxy.cut = "none"
    expect(await ledgerOf(store).admit(admission("b", "token of a"))).toEqual({ outcome: "already-used" })
    expect((await events(store)).map(({ event }) => event)).toEqual([
      "exchange.intended",
      "exchange.intended",
      "token.replayed",
    ])
  })

  test("that is cut while nothing runs is made again, and no call fails", async () => {
    const store = await open()
    for (const lease of ["a", "b", "c"]) {
      expect(await ledgerOf(store).admit(admission(lease))).toEqual({ outcome: "admitted" })
      await ledgerOf(store).standing(NOW)
      await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'daypass'")
    }
    expect(await events(store)).toHaveLength(3)
  })

  test("on which nothing comes back: the call fails after a time, and a second one is made", async () => {
    const store = await open(throughProxy())
    await ledgerOf(store).admit(admission("first"))
    proxy.cut = "silent"
    const call = ledgerOf(store).admit(admission("a"))
    expect(await store.health.look()).toMatchObject({ state: "unavailable" })
    await expect(call).rejects.toMatchObject({ code: "ledger_unavailable" })
    proxy.cut = "none"
    await expect.poll(() => store.health.look()).toEqual({ state: "ok" })
    expect(await ledgerOf(store).admit(admission("a"))).toEqual({ outcome: "admitted" })
  })

  test("of a broker that stopped in a transaction holds its ledger for seconds only", async () => {
    const store = await open()
    await ledgerOf(store).admit(admission("first"))
    // Another program that keeps the row, which no broker does.
    const holding = server.query(
      `BEGIN; SELECT 1 FROM daypass.ledgers WHERE unit_id = '${unit}' FOR UPDATE; SELECT pg_sleep(3)`,
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    const other = store.ledgers.of(ISSUER, `${unit} other`)
    const waiting = ledgerOf(store).admit(admission("a"))
    // Other ledgers do not wait for it.
    expect(await other.admit(admission("a"))).toEqual({ outcome: "admitted" })
    expect(await waiting).toEqual({ outcome: "admitted" })
    await holding
  })
})

describe("a server that crashes under load", () => {
  test("has all that was answered, the chain is whole, and no token is taken twice", async () => {
    const store = await open()
    const other = await open()
    const told: string[] = []
    let running = true
    const workers = Array.from({ length: 8 }, async (_, worker) => {
      for (let index = 0; running; index++) {
        const lease = `lease ${worker} ${index}`
        const ledger = ledgerOf(worker % 2 === 0 ? store : other)
        const admitted = await ledger.admit({ ...admission(lease), limits: LIMITS }).catch(() => null)
        if (admitted?.outcome === "admitted") told.push(lease)
        else await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })
    for (let crash = 0; crash < 2; crash++) {
      const before = told.length
      await expect.poll(() => told.length).toBeGreaterThan(before + 100)
      await server.crash()
      await server.start()
    }
    const before = told.length
    await expect.poll(() => told.length).toBeGreaterThan(before + 20)
    running = false
    await Promise.all(workers)
    const recorded = new Set((await events(store)).map(({ lease }) => lease))
    expect(told.filter((lease) => !recorded.has(lease))).toEqual([])
    for (const lease of [told[0], told.at(-1)] as string[]) {
      expect(await ledgerOf(other).admit(admission("again", `token of ${lease}`))).toEqual({ outcome: "already-used" })
    }
  })
})

describe("a broker that is killed", () => {
  const at = (path: string) => JSON.stringify(new URL(path, pathToFileURL(import.meta.filename)).href)

  /** Runs `body` in a process of its own, which is killed when it has written a line that `until` accepts. */
  function killed(body: string, until: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
    const script = `
      import { sha256 } from ${at("../../../broker/adapters/node/sha256.ts")}
      import { readDatabaseAddress } from ${at("../../../broker/adapters/postgres/address.ts")}
      import { openPostgresStore } from ${at("../../../broker/adapters/postgres/ledgers.ts")}
      import { admission, minted, revocable, revocation } from ${at("../../contract/ledger-samples.ts")}
      const address = readDatabaseAddress(process.env.URL).value
      const store = await openPostgresStore(address, { deployment: ${JSON.stringify(DEPLOYMENT)}, sha256 })
      const ledger = store.ledgers.of(${JSON.stringify(ISSUER)}, "${unit}")
      const WIDE = { max: 1000000, source: "a test" }
      const limits = { ...admission("").limits, exchangesPerMinute: WIDE, openLeases: WIDE }
      const say = (line) => process.stdout.write(line + "\\n")
      ${body}
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, URL: server.url("postgres") },
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

  test.each([
    ["after its intent", `await ledger.admit(admission("a")); say("done")`, NOW + 2 * HOUR, []],
    [
      "after it handed credentials out",
      `await ledger.admit(admission("a")); await ledger.settle(minted("a", revocable())); say("done")`,
      NOW + 2 * HOUR,
      ["a"],
    ],
    [
      "while it took credentials back",
      `await ledger.admit(admission("a")); await ledger.settle(minted("a", revocable()))
       await ledger.beginRevocation(revocation("a")); say("done")`,
      NOW + 3 * MINUTE,
      ["a"],
    ],
  ] as const)("%s: another broker ends the lease, and the token stays used", async (_, body, now, taken) => {
    await killed(body, saying("done"))
    const store = await open()
    expect(await ledgerOf(store).admit(admission("b", "token of a"))).toEqual({ outcome: "already-used" })
    const due = (await ledgerOf(store).takeDue(now, 10)).map(({ lease }) => lease)
    expect(due).toEqual(taken)
    for (const lease of due) await ledgerOf(store).settleRevocation(revoked(lease, { vault: "revoked" }, now))
    expect(await ledgerOf(store).beginRevocation(revocation("a", { now }))).toMatchObject({ outcome: "done" })
    expect((await events(store)).filter(({ event }) => event === "lease.closed")).toHaveLength(1)
  })

  test("at any moment, while a second one works on the same ledger: what was answered is there, and the chain is whole", async () => {
    const body = (name: string) => `
      let next = 0
      for (let worker = 0; worker < 8; worker++) (async () => {
        for (;;) {
          const lease = "${name} " + next++
          await ledger.admit({ ...admission(lease), limits })
          say(lease)
        }
      })()`
    const many = (lines: readonly string[]) => lines.length > 150
    const told = (await Promise.all([killed(body("one"), many), killed(body("other"), many)])).flat()
    const store = await open()
    const recorded = new Set((await events(store)).map(({ lease }) => lease))
    expect(told.filter((lease) => !recorded.has(lease))).toEqual([])
    // Its locks are gone with it.
    expect(await ledgerOf(store).admit({ ...admission("next"), limits: LIMITS })).toEqual({ outcome: "admitted" })
    await ledgerOf(store).settle(minted("next", revocable()))
  })
})
