// A database that real brokers left at the first schema of PostgreSQL, and that today's opens.

import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { SCHEMA_VERSION } from "../../../broker/adapters/postgres/schema.ts"
import type { AuditRecord } from "../../../broker/core/audit-record.ts"
import { writeFlowPolicies } from "../../flow/policies.ts"
import { startNodeBroker } from "../../support/broker-node.ts"
import { exportTrail } from "../../support/export-trail.ts"
import { startGitHub } from "../../support/github.ts"
import { expectOldKey } from "../../support/older-data.ts"
import { verifyChain } from "../../support/verify-chain.ts"
import old from "../../vectors/postgres-schema-1/deployment.json" with { type: "json" }
import { makeDatabase } from "./database.ts"

const TABLES = new URL("../../vectors/postgres-schema-1/tables.sql", import.meta.url)

it("goes on from a database of the first schema: leases end, keys open, and the chain verifies", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-older-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const github = await startGitHub()
  onTestFinished(() => github.close())
  const database = await makeDatabase()
  onTestFinished(() => database.close())
  await database.admin.unsafe(readFileSync(TABLES, "utf8"))
  writeFlowPolicies(folder, { issuer: github.issuer, sts: "http://127.0.0.1:9" })

  const broker = await startNodeBroker({
    ...{ policies: folder, store: database.url, kek: old.kek, movableClock: true },
    settings: { DAYPASS_DEPLOYMENT: old.deployment },
  })
  onTestFinished(async () => void (await broker.stop()))
  const versions = await database.admin`SELECT schema_version FROM daypass.store`
  expect(versions.map(({ schema_version }) => schema_version)).toEqual([SCHEMA_VERSION])
  const closed = async () => {
    const rows = await database.admin<{ record: string }[]>`SELECT record FROM daypass.audit ORDER BY seq`
    const records = rows.map(({ record }): AuditRecord => JSON.parse(record))
    return records.flatMap(({ event, lease }) => (event === "lease.closed" ? [lease] : []))
  }
  await expect.poll(closed, { timeout: 30_000 }).toEqual([old.ended, old.active])

  await expectOldKey(broker, github, old.kid)
  expect(await broker.stop()).toBe(0)

  const store = await database.open({ deployment: old.deployment })
  onTestFinished(() => store.close())
  const trail = await store.ledgers.of(old.issuer, old.unit_id).auditTrail(0, 100)
  const text = exportTrail({ issuer: old.issuer, unit_id: old.unit_id }, trail)
  expect(verifyChain([new TextEncoder().encode(text)])).toMatchObject({ ok: true })
})
