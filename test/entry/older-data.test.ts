// The data folder of a real broker of 0.1.0, written by that version, and opened by today's.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { expect, it, onTestFinished } from "vitest"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { writeFlowPolicies } from "../flow/policies.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { expectOldKey } from "../support/older-data.ts"
import { verifyChain } from "../support/verify-chain.ts"
import old from "../vectors/broker-0.1.0/deployment.json" with { type: "json" }

const LEDGER = new URL("../vectors/broker-0.1.0/ledger.db.gz", import.meta.url)

it("goes on from a data folder of 0.1.0: leases end, keys open, and the chain verifies", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-older-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const github = await startGitHub()
  onTestFinished(() => github.close())
  const [data, policies] = [join(folder, "data"), join(folder, "policies")]
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(join(data, "ledger.db"), gunzipSync(readFileSync(LEDGER)), { mode: 0o600 })
  writeFlowPolicies(policies, { issuer: github.issuer, sts: "http://127.0.0.1:9" })

  const broker = await startNodeBroker({
    ...{ policies, data, kek: old.kek, movableClock: true },
    // The broker has moved to another URL. What is sealed was sealed for the old one.
    settings: { DAYPASS_DEPLOYMENT: old.deployment },
  })
  onTestFinished(async () => void (await broker.stop()))
  const lines = () => [...readAuditTrail(data)].map((line) => JSON.parse(line))
  const closed = () => lines().flatMap(({ record }) => (record?.event === "lease.closed" ? [record.lease] : []))
  await expect.poll(closed, { timeout: 30_000 }).toEqual([old.ended, old.active])

  await expectOldKey(broker, github, old.kid)

  expect(await broker.stop()).toBe(0)
  expect(broker.stdout()).not.toMatch(/"event":"(?:sweep\.failed|ledger\.(?:damaged|unwritable))"/)
  const trail = [...readAuditTrail(data)].map((line) => `${line}\n`).join("")
  expect(verifyChain([new TextEncoder().encode(trail)])).toMatchObject({ ok: true })
})
