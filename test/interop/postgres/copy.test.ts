import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, expect, test } from "vitest"
import { openNodeStore } from "../../../broker/adapters/node/ledgers.ts"
import type { StoredKey } from "../../../broker/ports/key-ring.ts"
import type { SweptLedger } from "../../../broker/ports/ledger.ts"
import type { NodeStore } from "../../../broker/ports/node-store.ts"
import { runScripted } from "../../cli/run-cli.ts"
import {
  admission,
  denial,
  expiring,
  HOUR,
  MINUTE,
  minted,
  NOW,
  opening,
  revocable,
  revocation,
  revoked,
} from "../../contract/ledger-samples.ts"
import { makeDatabase, type TestDatabase } from "./database.ts"

const ISSUER = "https://issuer.example"
const KEY: StoredKey = {
  kid: "a",
  publicJwk: { kty: "RSA", n: "n", e: "AQAB" },
  sealedPrivateKey: "sealed",
  createdAt: "2026-11-20T10:00:00.000Z",
  activatedAt: null,
  retiredAt: null,
}

let folder: string
let database: TestDatabase
let store: NodeStore | undefined

beforeEach(async () => {
  folder = join(mkdtempSync(join(tmpdir(), "daypass-copy-")), "data")
  database = await makeDatabase()
})
afterEach(async () => {
  await store?.close()
  store = undefined
  await database.close()
  rmSync(join(folder, ".."), { recursive: true })
})

/** The password is where a command line has it. */
const environment = () => ({ PGPASSWORD: decodeURIComponent(new URL(database.url).password) })
const target = () => database.url.replace(/:[^:@]+@/, "@")
const copy = () => runScripted({ env: environment() }, "ledger", "copy", "--from", folder, "--to", target())
const ledger = (of: NodeStore, unit = "41") => of.ledgers.of(ISSUER, unit) as SweptLedger

/** A denial with a record of its own, however many there are. */
const recorded = (token: string) => {
  const asked = denial(token)
  return { ...asked, limits: { ...asked.limits, denialsPerHour: { max: 10_000, source: "a test" } } }
}

async function fill(): Promise<void> {
  const source = openNodeStore(folder)
  const limited = [{ key: "grant", grant: "vault", max: 3, source: "a policy" }]
  for (const lease of ["a", "b", "c"]) {
    await ledger(source).admit({ ...admission(lease), lease: { ...opening(lease), limited, settleBy: NOW + HOUR } })
  }
  await ledger(source).settle(minted("a", revocable(), expiring()))
  await ledger(source).settle(minted("b", revocable()))
  await ledger(source).beginRevocation(revocation("b"))
  await ledger(source).settleRevocation(revoked("b", { vault: "revoked" }))
  await Promise.all(
    Array.from({ length: 1100 }, (_, index) => ledger(source, "many").admit(recorded(`token ${index}`))),
  )
  await source.keyRing.replace(0, [KEY])
  await source.marks.write("mark", "1")
  await source.documents.replace("document", 0, "one")
  await source.close()
}

test("copies all that a ledger knows, verified on both sides, and a broker goes on with it", async () => {
  await fill()
  const { code, out, err } = await copy()
  expect({ code, err }).toEqual({ code: 0, err: "" })
  expect(out).toMatch(/^unit "41" of "https:\/\/issuer.example": 7 records, head [0-9a-f]{64}\n/)
  expect(out).toMatch(/copied 2 ledgers into 127\.0\.0\.1:\d+\/test_/)

  store = await database.open()
  expect(await store.keyRing.read()).toEqual({ version: 1, keys: [KEY] })
  expect(await store.marks.read("mark")).toBe("1")
  expect(await store.documents.read("document")).toEqual({ version: 1, text: "one" })
  expect(await ledger(store).admit(admission("d", "token of a"))).toEqual({ outcome: "already-used" })
  expect(await ledger(store, "many").admit(recorded("token 1000"))).toEqual({ outcome: "already-used" })
  const limited = [{ key: "grant", grant: "vault", max: 2, source: "a policy" }]
  expect(await ledger(store).admit({ ...admission("d"), lease: { ...opening("d"), limited } })).toMatchObject({
    outcome: "over-limit",
  })
  expect(await ledger(store).beginRevocation(revocation("b"))).toMatchObject({ outcome: "done" })
  expect(await ledger(store).beginRevocation(revocation("a"))).toMatchObject({
    outcome: "begun",
    credentials: expect.arrayContaining([
      expect.objectContaining({ grant: "vault", sealedHandle: "sealed vault", ended: null }),
      expect.objectContaining({ grant: "aws" }),
    ]),
  })
  await ledger(store).settleRevocation(revoked("a", { vault: "revoked" }, NOW + 2 * MINUTE))
  expect((await store.due(NOW + 3 * HOUR, 10)).map(({ unitId }) => unitId).sort()).toEqual(["41", "many"])

  const exported = await runScripted({ env: environment() }, "audit", "export", "--store", target())
  const file = join(folder, "trail.jsonl")
  writeFileSync(file, `${exported.out}\n`)
  const verified = await runScripted({}, "audit", "verify", file)
  expect(verified).toMatchObject({ code: 0, out: expect.stringMatching(/unit "41".*: 11 records/) })
})

test("copies the credentials of leases that an earlier version wrote", async () => {
  await fill()
  const old = new DatabaseSync(join(folder, "ledger.db"))
  const [row] = old.prepare("SELECT ledger, credentials FROM leases WHERE id = 'a'").all()
  const [first] = JSON.parse(String(row?.["credentials"])) as [{ expiresAt: number; grantedUntil: number }]
  old
    .prepare(
      `INSERT INTO credentials (ledger, lease, grant_name, connection, provider, revocation, expires_at, granted_until, sealed_handle)
       VALUES (?, 'a', 'vault', 'vault-prod', 'vault', 'revocable', ?, ?, 'sealed vault')`,
    )
    .run(Number(row?.["ledger"]), first.expiresAt, first.grantedUntil)
  old.exec("UPDATE leases SET credentials = NULL WHERE id = 'a'")
  old.close()
  expect(await copy()).toMatchObject({ code: 0 })
  store = await database.open()
  expect(await ledger(store).beginRevocation(revocation("a"))).toMatchObject({
    outcome: "begun",
    credentials: [{ grant: "vault", sealedHandle: "sealed vault", ended: null }],
  })
})

test("refuses a ledger whose broker runs, one that is not there, and a database that was used", async () => {
  expect(await copy()).toMatchObject({ code: 2, err: expect.stringMatching(/there is no ledger in/) })
  expect(existsSync(folder)).toBe(false)
  const source = openNodeStore(folder)
  await ledger(source).admit(denial("token"))
  expect(await copy()).toMatchObject({ code: 2, err: expect.stringMatching(/another broker is using/) })
  await source.close()
  await (await database.open()).close()
  expect(await copy()).toMatchObject({ code: 2, err: expect.stringMatching(/a broker has used this database already/) })
})

test("refuses a database that a broker takes while the copy begins", async () => {
  await fill()
  await (await database.open()).close()
  await database.admin`UPDATE daypass.store SET deployment = '', timeline = ''`
  await database.admin`UPDATE daypass.key_ring SET version = 0`
  let copying: ReturnType<typeof copy> | undefined
  await database.admin.begin(async (broker) => {
    await broker`UPDATE daypass.store SET deployment = 'https://other.example'`
    copying = copy()
    await expect
      .poll(async () => {
        // A transaction goes on seeing what its first look saw.
        await broker`SELECT pg_stat_clear_snapshot()`
        return await broker`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
      })
      .toHaveLength(1)
  })
  expect(await copying).toMatchObject({
    code: 2,
    err: expect.stringMatching(/a broker has used this database already/),
  })
})

test("takes no password from a command line, which is in the list of processes", async () => {
  await fill()
  const commands = [
    ["ledger", "copy", "--from", folder, "--to", database.url],
    ["audit", "export", "--store", database.url],
  ]
  for (const command of commands) {
    const { code, err, out } = await runScripted({}, ...command)
    expect({ code, out }).toEqual({ code: 2, out: "" })
    expect(err).toMatch(/has a password, which every user of this machine can read/)
    expect(err).not.toContain(new URL(database.url).password)
  }
})

test("copies nothing of a trail that does not verify, and nothing twice", async () => {
  await fill()
  const meddled = new DatabaseSync(join(folder, "ledger.db"))
  meddled.exec("UPDATE audit SET record = replace(record, 'a test', 'a lest') WHERE seq = 5")
  const before = readFileSync(join(folder, "ledger.db")).length
  meddled.close()
  expect(before).toBeGreaterThan(0)
  expect(await copy()).toMatchObject({ code: 1, err: expect.stringMatching(/does not verify, and nothing was copied/) })
  const fixed = new DatabaseSync(join(folder, "ledger.db"))
  fixed.exec("UPDATE audit SET record = replace(record, 'a lest', 'a test')")
  fixed.close()
  expect(await copy()).toMatchObject({ code: 0 })
  expect(await copy()).toMatchObject({ code: 2, err: expect.stringMatching(/a broker has used this database already/) })
})
