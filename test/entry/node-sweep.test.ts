import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, vi } from "vitest"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { nodeCryptography } from "../../broker/adapters/node/cryptography.ts"
import { Secret } from "../../broker/core/secret.ts"
import { createSealer } from "../../broker/signing/sealer.ts"
import { writeFlowPolicies } from "../flow/policies.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { seedDueLeases } from "../support/due-leases.ts"
import { verifyChain } from "../support/verify-chain.ts"

const UNITS = 10
const EACH = 20
const DEPLOYMENT = "a-deployment"

it("a broker killed in the middle of a sweep loses no lease, and the next one revokes none twice at the same time", async () => {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-sweep-"))
  ends.defer(() => rmSync(folder, { recursive: true }))
  const kek = randomBytes(32)
  const under = new Set<string>()
  const asked: string[] = []
  const twice: string[] = []
  const vendor = createServer((request, response) => {
    const token = request.headers.authorization ?? ""
    if (under.has(token)) twice.push(token)
    under.add(token)
    asked.push(token)
    const done = () => under.delete(token)
    response.on("close", done)
    setTimeout(() => response.writeHead(204).end(), 20)
  })
  await new Promise<void>((resolve) => vendor.listen(0, "127.0.0.1", resolve))
  ends.defer(() => void vendor.close())
  const apiUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`
  const issuer = "https://issuer.example"
  const policies = join(folder, "policies")
  writeFlowPolicies(policies, { issuer, sts: "http://127.0.0.1:9" })
  const data = join(folder, "data")
  const sealer = await createSealer(new Secret(Uint8Array.from(kek)), DEPLOYMENT, nodeCryptography)
  await seedDueLeases(data, { issuer, units: UNITS, leasesEach: EACH, vendor: { apiUrl, sealer } })
  const settings = { DAYPASS_DEPLOYMENT: DEPLOYMENT }
  const place = { policies, data, settings, kek: kek.toString("base64") }

  const first = await startNodeBroker(place)
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(20), { timeout: 600_000, interval: 5 })
  await first.crash()
  const before = new Set(asked)
  expect(before.size).toBeLessThan(UNITS * EACH)
  // What it had begun is due again after a minute.
  const second = await startNodeBroker({ ...place, aheadSeconds: 120 })
  ends.defer(() => second.crash())
  const closed = () =>
    [...readAuditTrail(data)].flatMap((line) => /"event":"lease.closed"[^}]*"lease":"([^"]+)"/.exec(line)?.[1] ?? [])
  await vi.waitFor(() => expect(closed()).toHaveLength(UNITS * EACH), { timeout: 600_000, interval: 200 })
  expect(new Set(asked).size).toBe(UNITS * EACH)
  expect(twice).toEqual([])
  // Only what was under way when it was killed was asked for a second time.
  expect(asked.length - UNITS * EACH).toBeLessThanOrEqual(32)
  const file = [...readAuditTrail(data)].map((line) => `${line}\n`).join("")
  expect(verifyChain([new TextEncoder().encode(file)])).toMatchObject({ ok: true })
})
