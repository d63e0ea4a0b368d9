// A file system that is really full. Only root can mount a small one; where that is not allowed these are skipped, and
// test/contract/node-storage.test.ts shows the same with a database that SQLite itself keeps from growing.

import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, rmdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import type { BrokerEvent } from "../../broker/ports/log.ts"
import type { NodeStore } from "../../broker/ports/node-store.ts"
import { verifyChain } from "../support/verify-chain.ts"
import { admission, denial } from "./ledger-samples.ts"

const MIB = 1024 * 1024
const RESERVE = 8 * MIB

const disk = mkdtempSync(join(tmpdir(), "daypass-full-"))
const folder = join(disk, "data")
const filler = join(disk, "filler")

const mount = () => {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=20m,mode=700", "none", disk], { stdio: "ignore" })
}
const unmount = () => execFileSync("umount", ["-l", disk], { stdio: "ignore" })

function canMount(): boolean {
  try {
    mount()
    unmount()
    return true
  } catch {
    return false
  }
}

let store: NodeStore | undefined
let log: BrokerEvent[] = []

afterAll(() => rmdirSync(disk))

describe.runIf(canMount())("a disk that is full", () => {
  beforeEach(() => {
    mount()
    log = []
  })
  afterEach(async () => {
    await store?.close()
    store = undefined
    unmount()
  })

  const open = () => {
    store = openNodeStore(folder, { log: (event) => void log.push(event as BrokerEvent) })
    return store
  }
  const current = () => store ?? open()
  const ledger = (repository = "41") => current().ledgers.of("https://issuer.example", repository)
  const free = () => {
    const { bavail, bsize } = statfsSync(disk)
    return bavail * bsize
  }
  /** Something else takes all the space that is left. */
  const fill = () => {
    try {
      writeFileSync(filler, Buffer.alloc(32 * MIB))
    } catch {
      // It is full.
    }
    expect(free()).toBe(0)
  }
  const state = async () => (await current().health.look()).state
  const hasReserve = () => statSync(join(folder, "ledger.reserve"), { throwIfNoEntry: false })?.size === RESERVE

  test("by the records of one's own jobs: granting stops before the reserve, and what was answered is recorded", async () => {
    let admitted = 0
    const flood = async () => {
      for (;;) {
        // Of many repositories: each one alone is stopped by its quota.
        const calls = Array.from({ length: 64 }, (_, n) => ledger(`${admitted + n}`).admit(denial("token")))
        const outcomes = await Promise.allSettled(calls)
        admitted += outcomes.filter(({ status }) => status === "fulfilled").length
        const refused = outcomes.find((outcome) => outcome.status === "rejected")
        if (refused) return refused.reason
      }
    }
    expect(await flood()).toMatchObject({ code: "ledger_unavailable", detail: expect.stringContaining("full") })
    expect(hasReserve()).toBe(true)
    expect(await state()).toBe("unavailable")
    expect(log.map(({ event }) => event)).toEqual(["ledger.full"])
    const lines = [...readAuditTrail(folder)]
    expect(lines.filter((line) => line.includes("exchange.denied"))).toHaveLength(admitted)
    expect(verifyChain([new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))])).toMatchObject({
      ok: true,
    })
  })

  test("by something else: the way back goes on from the reserve, and granting when there is room again", async () => {
    await ledger().admit(admission("a"))
    fill()
    await expect(ledger().admit(denial("out"))).rejects.toMatchObject({ code: "ledger_unavailable" })
    for (let version = 0; version < 300; version++) {
      expect(await current().keyRing.replace(version, [])).toBe(true)
    }
    expect(hasReserve(), "it was needed").toBe(false)
    await expect(ledger().admit(denial("out"))).rejects.toMatchObject({ detail: expect.stringContaining("full") })

    rmSync(filler)
    await expect.poll(state).toBe("ok")
    expect(hasReserve()).toBe(true)
    expect(await ledger().admit(denial("out"))).toMatchObject({ outcome: "admitted" })
    expect(log.map(({ event }) => event)).toEqual(["ledger.full", "ledger.recovered"])
  })

  test("does not keep a broker from starting, for leases must end; it grants nothing", async () => {
    await ledger().admit(admission("a"))
    await store?.close()
    store = undefined
    fill()
    open()
    expect(await state()).toBe("unavailable")
    expect(log.map(({ event }) => event)).toEqual(["ledger.full"])
    expect(await current().keyRing.replace(0, [])).toBe(true)
    await expect(ledger().admit(denial("out"))).rejects.toMatchObject({ code: "ledger_unavailable" })
  })

  test("and has no reserve: a broker that cannot even open its ledger says so", async () => {
    open()
    await store?.close()
    store = undefined
    rmSync(join(folder, "ledger.reserve"))
    fill()
    expect(() => open()).toThrow(/cannot be opened.*Its disk is full: free at least 12 MiB/)
    expect(existsSync(join(folder, "ledger.db"))).toBe(true)
    rmSync(filler)
    open()
    expect(await state()).toBe("ok")
  })

  test("or mounted read-only: the broker does not start, and says where to look", async () => {
    await open().close()
    store = undefined
    execFileSync("mount", ["-o", "remount,ro", disk], { stdio: "ignore" })
    expect(() => open()).toThrow(/cannot be opened.*not mounted read-only/)
    execFileSync("mount", ["-o", "remount,rw", disk], { stdio: "ignore" })
    open()
    expect(await state()).toBe("ok")
  })
})
