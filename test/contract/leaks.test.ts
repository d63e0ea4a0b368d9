import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { Secret } from "../../broker/core/secret.ts"
import { type LeakDesk, reportLeak } from "../../broker/operate/leaks.ts"
import type { NodeStore } from "../../broker/ports/node-store.ts"
import type { RecordQuery } from "../../broker/ports/record-index.ts"
import { TestClock } from "../support/clock.ts"
import { NOW, record } from "./ledger-samples.ts"

const ISSUER = "https://issuer.example"
const ID = "ASIAABCDEFGHIJKLMNOP"
const SESSION = "a-session-token-that-is-secret"

let folder: string
let store: NodeStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "daypass-leaks-"))
  store = openNodeStore(folder)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** A lease that gave an AWS session. */
async function desk(): Promise<LeakDesk> {
  const hash = createHash("sha256").update(SESSION).digest("hex")
  const grant = { name: "aws", connection: "aws-prod", provider: "aws", resource: "role", ttl_seconds: 900 }
  const minted = {
    ...record("exchange.minted", "lease-1"),
    grants: [{ ...grant, fingerprints: { "session-token": hash }, ids: { "access-key-id": ID } }],
  }
  const ledger = store.ledgers.of(ISSUER, "41")
  await ledger.append(minted)
  const search = async ({ fingerprint }: RecordQuery) => {
    const records = fingerprint === hash || fingerprint === ID ? await ledger.auditTrail(0, 1) : []
    return { found: records.map((one) => ({ issuerUrl: ISSUER, unitId: "41", ...one })), next: null }
  }
  return {
    broker: { ledgers: store.ledgers, clock: new TestClock(NOW), metrics: { count() {} } },
    index: { search },
    documents: store.documents,
  } as unknown as LeakDesk
}

test("a leak that only a public id tells of is recorded as no more than that", async () => {
  const at = await desk()
  const reasons = async () =>
    (await store.ledgers.of(ISSUER, "41").auditTrail(1, 100))
      .filter(({ record: { event } }) => event === "leak.reported")
      .map(({ record: { reason } }) => reason)
  const report = (value: string, where: string) => reportLeak({ value: new Secret(value), where, requestId: "r" }, at)
  expect(await report(ID, "one")).toBe(1)
  // Anybody can write an id beside a secret of their own.
  expect(await report(`${ID} ${"x".repeat(40)}`, "two")).toBe(1)
  expect(await report(SESSION, "three")).toBe(1)
  expect(await reasons()).toEqual(["one (by its public id alone)", "two (by its public id alone)", "three"])
})
