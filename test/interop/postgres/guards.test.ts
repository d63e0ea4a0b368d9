import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { sha256 } from "../../../broker/adapters/node/sha256.ts"
import { openPostgresStore } from "../../../broker/adapters/postgres/ledgers.ts"
import { SCHEMA_VERSION } from "../../../broker/adapters/postgres/schema.ts"
import type { Log } from "../../../broker/ports/log.ts"
import type { NodeStore } from "../../../broker/ports/node-store.ts"
import { admission, failed, record } from "../../contract/ledger-samples.ts"
import { freePort } from "../../support/servers.ts"
import { type Postgres, startPostgres } from "../postgres.ts"
import { addressOf, DEPLOYMENT, makeDatabase, type TestDatabase } from "./database.ts"

const ISSUER = "https://issuer.example"

let database: TestDatabase
let name: string
let store: NodeStore | undefined
let log: Parameters<Log>[0][]

beforeEach(async () => {
  database = await makeDatabase()
  name = database.address.database
  log = []
})
afterEach(async () => {
  await store?.close()
  store = undefined
  await database.close()
})

const open = async () => {
  store = await database.open({ log: (event) => void log.push(event) })
  return store
}
const ledger = () => (store as NodeStore).ledgers.of(ISSUER, "41")
const events = () => log.map((event) => ("event" in event ? event.event : ""))
/** Ends the broker's connections, as a server does whose settings of a database or a user changed. */
const disconnect = () =>
  database.admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${name} AND application_name = 'daypass'`

/** What is wrong, how it is mended, and what the broker says of it. */
const WRONG = [
  ["read-only", "ALTER DATABASE db SET default_transaction_read_only = on", "ALTER DATABASE db RESET ALL", /read-only/],
  [
    "not durable by its own setting",
    "ALTER DATABASE db SET synchronous_commit = off",
    "ALTER DATABASE db RESET ALL",
    /synchronous_commit=off/,
  ],
  [
    "of a newer version",
    "UPDATE daypass.store SET schema_version = 99, readable_from = 99",
    `UPDATE daypass.store SET schema_version = ${SCHEMA_VERSION}, readable_from = ${SCHEMA_VERSION}`,
    /newer version/,
  ],
  [
    "of another deployment",
    "UPDATE daypass.store SET deployment = 'https://other.example'",
    `UPDATE daypass.store SET deployment = '${DEPLOYMENT}'`,
    /another deployment/,
  ],
  [
    "without a table",
    "ALTER TABLE daypass.used_tokens RENAME TO gone",
    "ALTER TABLE daypass.gone RENAME TO used_tokens",
    /Tables of the ledger are missing/,
  ],
] as const

describe("a database", () => {
  test.each(WRONG)("that is %s is refused at the start, by name", async (_, wrong, __, reason) => {
    await (await open()).close()
    await database.admin.unsafe(wrong.replace(" db ", ` ${name} `))
    await expect(open()).rejects.toMatchObject({ code: "ledger_unavailable", detail: expect.stringMatching(reason) })
  })

  test.each(WRONG)(
    "that becomes %s grants nothing, says why, and goes on when it is mended",
    async (_, wrong, right, reason) => {
      await open()
      await ledger().admit(admission("before"))
      await database.admin.unsafe(wrong.replace(" db ", ` ${name} `))
      await disconnect()
      await expect(ledger().admit(admission("a"))).rejects.toMatchObject({
        code: "ledger_unavailable",
        detail: expect.stringMatching(reason),
        retryAfterSeconds: 5,
      })
      expect(await store?.health.look()).toMatchObject({ state: "unavailable", reason: expect.stringMatching(reason) })
      await database.admin.unsafe(right.replace(" db ", ` ${name} `))
      await disconnect()
      await expect.poll(() => store?.health.look()).toEqual({ state: "ok" })
      expect(await ledger().admit(admission("a"))).toEqual({ outcome: "admitted" })
      expect(events().at(-1)).toBe("ledger.recovered")
    },
  )

  test("that is not durable still records what ends something", async () => {
    await open()
    await ledger().admit(admission("a"))
    await database.admin.unsafe(`ALTER DATABASE ${name} SET synchronous_commit = off`)
    await disconnect()
    await ledger().settle(failed("a"))
    await expect(ledger().admit(admission("b"))).rejects.toMatchObject({ code: "ledger_unavailable" })
    expect((await ledger().auditTrail(0, 10)).map((link) => link.record.event)).toEqual([
      "exchange.intended",
      "exchange.failed",
    ])
  })

  test("with unlogged tables is refused, because a crash empties them", async () => {
    await (await open()).close()
    await database.admin.unsafe("ALTER TABLE daypass.used_tokens SET UNLOGGED")
    await expect(open()).rejects.toMatchObject({ detail: expect.stringMatching(/unlogged/) })
  })

  test("of a newer version that this one may use is used", async () => {
    await (await open()).close()
    await database.admin.unsafe("UPDATE daypass.store SET schema_version = 99")
    await open()
    expect(await ledger().admit(admission("a"))).toEqual({ outcome: "admitted" })
  })

  test("whose user may not write is refused, and one whose user makes its own tables is enough", async () => {
    await (await open()).close()
    await database.admin.unsafe(
      `DROP ROLE IF EXISTS reader_${name}; CREATE ROLE reader_${name} LOGIN PASSWORD 'r';
       GRANT USAGE ON SCHEMA daypass TO reader_${name}; GRANT SELECT ON ALL TABLES IN SCHEMA daypass TO reader_${name}`,
    )
    const as = (user: string) =>
      openPostgresStore(addressOf(database.url.replace(/\/\/.*@/, `//${user}:r@`)), { deployment: DEPLOYMENT, sha256 })
    await expect(as(`reader_${name}`)).rejects.toMatchObject({
      detail: expect.stringMatching(/does not let the broker in/),
    })
    await database.admin.unsafe(`DROP SCHEMA daypass CASCADE; GRANT CREATE ON DATABASE ${name} TO reader_${name}`)
    const own = await as(`reader_${name}`)
    expect(await own.health.look()).toEqual({ state: "ok" })
    await own.close()
    await database.admin.unsafe(`DROP OWNED BY reader_${name}; DROP ROLE reader_${name}`)
  })

  test.each([
    [
      "a wrong password",
      (url: string) => url.replace(/:[^:@]+@/, ":wrong-secret@"),
      /does not let the broker in.*28P01/,
    ],
    ["a name that does not exist", (url: string) => `${url}x`, /does not let the broker in.*3D000/],
    ["sslmode=require at a server without TLS", (url: string) => `${url}?sslmode=require`, /cannot be reached/],
  ])("with %s is refused, and the password is in no word of it", async (_, change, reason) => {
    const url = change(database.url)
    const error = await openPostgresStore(addressOf(url), { deployment: DEPLOYMENT, sha256 }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: "ledger_unavailable", detail: expect.stringMatching(reason) })
    const password = decodeURIComponent(new URL(url).password)
    for (const text of [String(error), error.detail, JSON.stringify(error)]) expect(text).not.toContain(password)
  })

  test("that is down is refused", async () => {
    const url = `postgres://u:p@127.0.0.1:${await freePort()}/d`
    await expect(openPostgresStore(addressOf(url), { deployment: DEPLOYMENT, sha256 })).rejects.toMatchObject({
      detail: expect.stringMatching(/cannot be reached.*ECONNREFUSED/),
    })
  })
})

describe("a server with fsync=off", () => {
  let server: Postgres
  beforeEach(async () => {
    server = await startPostgres({ settings: [] })
  })
  afterEach(() => server.close())

  test("is refused, at the start and when it becomes so", async () => {
    const options = { deployment: DEPLOYMENT, sha256 }
    const address = addressOf(server.url("postgres"))
    const running = await openPostgresStore(address, options)
    const one = running.ledgers.of(ISSUER, "41")
    await one.admit(admission("a"))
    await server.query("ALTER SYSTEM SET fsync = off")
    await server.query("SELECT pg_reload_conf()")
    await expect
      .poll(() =>
        one.admit(admission("b")).then(
          () => "",
          (error) => error.detail,
        ),
      )
      .toMatch(/fsync=off/)
    await one.settle({ ...failed("a"), audit: record("exchange.failed", "a") })
    await expect(openPostgresStore(address, options)).rejects.toMatchObject({
      detail: expect.stringMatching(/fsync=off/),
    })
    await running.close()
  })
})
