import { appendFileSync, chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { sha256 } from "../../../broker/adapters/node/sha256.ts"
import { openPostgresStore } from "../../../broker/adapters/postgres/ledgers.ts"
import { admission } from "../../contract/ledger-samples.ts"
import { exportTrail } from "../../support/export-trail.ts"
import { verifyChain } from "../../support/verify-chain.ts"
import { startPostgres } from "../postgres.ts"
import { mustRun } from "../tools.ts"
import { addressOf, DEPLOYMENT } from "./database.ts"

const ISSUER = "https://issuer.example"
const WIDE = { max: 1_000_000, source: "a test" }
const LIMITS = { ...admission("").limits, exchangesPerMinute: WIDE, openLeases: WIDE }

/** A small disk of its own. */
let disk: string
const asRoot = (program: string, ...args: readonly string[]) =>
  process.getuid?.() === 0 ? mustRun(program, args) : mustRun("sudo", ["-n", program, ...args])

beforeEach(async () => {
  disk = mkdtempSync(join(tmpdir(), "daypass-disk-"))
  await asRoot("mount", "-t", "tmpfs", "-o", "size=160m,mode=0777", "tmpfs", disk)
  chmodSync(join(disk, ".."), 0o711)
})
afterEach(async () => {
  await asRoot("umount", "-l", disk)
  rmSync(disk, { recursive: true })
})

test("a database whose disk is full grants nothing, loses nothing that it had answered, and goes on when there is room", async () => {
  const server = await startPostgres({ settings: ["max_wal_size=32MB", "min_wal_size=32MB"], at: disk })
  const store = await openPostgresStore(addressOf(server.url("postgres")), { deployment: DEPLOYMENT, sha256 })
  try {
    const ledger = store.ledgers.of(ISSUER, "41")
    const told: string[] = []
    const refused: string[] = []
    let next = 0
    const admitMany = () =>
      Promise.all(
        Array.from({ length: 50 }, async () => {
          const lease = `lease ${next++}`
          const admitted = await ledger.admit({ ...admission(lease), limits: LIMITS }).catch((error) => error)
          if (admitted.outcome === "admitted") told.push(lease)
          else if (admitted.code === "ledger_unavailable") refused.push(lease)
          else throw admitted
        }),
      )
    await admitMany()
    expect(told).toHaveLength(50)
    const filler = join(disk, "filler")
    const fill = (bytes: number) => {
      try {
        for (;;) appendFileSync(filler, Buffer.alloc(bytes))
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOSPC" })
      }
    }
    fill(1 << 20)
    fill(1 << 12)
    for (let round = 0; round < 400 && refused.length === 0; round++) await admitMany()
    expect(refused.length).toBeGreaterThan(0)
    expect(await store.health.look()).toMatchObject({
      state: "unavailable",
      reason: expect.stringMatching(/full|reached/),
    })
    rmSync(filler)
    await expect.poll(() => store.health.look()).toEqual({ state: "ok" })
    await admitMany()

    const trail = await ledger.auditTrail(0, 1_000_000)
    const file = new TextEncoder().encode(exportTrail({ issuer: ISSUER, unit_id: "41" }, trail))
    expect(verifyChain([file])).toMatchObject({ ok: true })
    const leases = trail.map(({ record }) => record.lease)
    expect(new Set(leases).size).toBe(leases.length)
    const recorded = new Set(leases)
    expect(told.filter((lease) => !recorded.has(lease))).toEqual([])
  } finally {
    await store.close()
    await server.close()
  }
})
