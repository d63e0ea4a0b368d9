import { DatabaseSync } from "node:sqlite"
import { expect, test } from "vitest"
import { RecordedLedger } from "../../broker/adapters/ledger/recorded-ledger.ts"
import { MAX_PROOFS_PER_TOKEN } from "../../broker/adapters/ledger/used-tokens.ts"
import { sha256 } from "../../broker/adapters/node/sha256.ts"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { transactAlone } from "../../broker/adapters/sqlite/batch.ts"
import { migrate } from "../../broker/adapters/sqlite/schema.ts"
import { SqliteStore } from "../../broker/adapters/sqlite/sqlite-store.ts"
import type { ProofUse } from "../../broker/ports/token-use.ts"
import { admission, denial, HOUR, MINUTE, minted, NOW, revocable, revocation, token } from "./ledger-samples.ts"

const proved = (id: string) => ({ ...token("token"), proof: { thumbprint: "k1", id } satisfies ProofUse })
const exchange = (lease: string, id: string) => ({ ...admission(lease), token: proved(id), limits: WIDE })
const denied = (id: string) => ({ ...denial("token"), token: proved(id), limits: WIDE })

/** Far more than a test makes. */
const WIDE = {
  exchangesPerMinute: { max: 1e6, source: "a test" },
  openLeases: { max: 1e6, source: "a test" },
  denialsPerHour: { max: 1e6, source: "a test" },
}

/** In memory: a token with all its proofs is a thousand transactions. */
function open() {
  const sql = new NodeSql(new DatabaseSync(":memory:"))
  migrate(sql)
  const key = { issuerUrl: "https://issuer.example", unitId: "41" }
  const transact = transactAlone(sql)
  const ledger = new RecordedLedger(new SqliteStore({ sql, transact, reading: async (work) => work(), sha256 }), key)
  const rows = () => sql.all("SELECT key FROM used_tokens").length
  return { sql, ledger, rows }
}

test("one token has a number of proofs: its job cannot fill the ledger, and can still end its leases", async () => {
  const { ledger, rows } = open()
  const length = async () => (await ledger.auditTrail(0, 10_000)).length
  await ledger.admit(exchange("a", "first"))
  await ledger.settle(minted("a", revocable()))
  for (let one = 1; one < MAX_PROOFS_PER_TOKEN; one++)
    expect(await ledger.admit(denied(String(one)))).toEqual({ outcome: "admitted" })
  const [before, records] = [rows(), await length()]
  expect(before).toBe(MAX_PROOFS_PER_TOKEN + 1)

  expect(await ledger.admit(exchange("b", "more"))).toEqual({ outcome: "used-up" })
  expect(await ledger.admit(denied("more"))).toEqual({ outcome: "counted" })
  const made = revocation("made up", { token: proved("more"), limits: WIDE })
  expect(await ledger.beginRevocation(made)).toEqual({ outcome: "not-found" })
  expect((await ledger.standing(NOW)).denials.counted).toBe(3)
  expect([rows(), await length()]).toEqual([before, records])

  // A proof that was used stays a replay, and what ends something is always taken, each proof once.
  expect(await ledger.admit(exchange("b", "1"))).toEqual({ outcome: "already-used" })
  const end = revocation("a", { token: proved("end"), limits: WIDE })
  expect(await ledger.beginRevocation(end)).toMatchObject({ outcome: "begun" })
  expect(await ledger.beginRevocation(end)).toEqual({ outcome: "already-used" })
  // Another token of the same unit is not held up.
  expect(await ledger.admit({ ...admission("c", "another token"), limits: WIDE })).toEqual({ outcome: "admitted" })
})

test("proofs are forgotten with their token, over however many sweeps", async () => {
  const { ledger, rows } = open()
  for (let one = 0; one < MAX_PROOFS_PER_TOKEN; one++) await ledger.admit(denied(String(one)))
  const dead = NOW + 10 * MINUTE + HOUR
  await ledger.takeDue(dead, 10)
  expect(rows()).toBe(MAX_PROOFS_PER_TOKEN + 1)
  await ledger.takeDue(dead + 1000, 10)
  await ledger.takeDue(dead + 2000, 10)
  expect(rows()).toBe(0)
})

test("a token that older code used stays used, whatever is proved: such code binds nothing", async () => {
  const { sql, ledger } = open()
  await ledger.admit(denial("another token"))
  sql.run("INSERT INTO used_tokens (ledger, key, expires_at) VALUES (1, 'token', ?)", token("token").expiresAt)
  expect(await ledger.admit(exchange("a", "1"))).toEqual({ outcome: "already-used" })
  expect(await ledger.beginRevocation(revocation("a", { token: proved("2") }))).toEqual({ outcome: "already-used" })
})
