import { randomBytes } from "node:crypto"
import postgres from "postgres"
import { expect, onTestFinished, test } from "vitest"
import { sha256 } from "../../../broker/adapters/node/sha256.ts"
import { openPostgresStore } from "../../../broker/adapters/postgres/ledgers.ts"
import type { SweptLedger } from "../../../broker/ports/ledger.ts"
import { admission, NOW, opening, RUN } from "../../contract/ledger-samples.ts"
import { addressOf, DEPLOYMENT, makeDatabase, type TestDatabase } from "./database.ts"

// What others do with the broker's database: its other users, and its administrator.

const ISSUER = "https://issuer.example"

async function aDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase()
  onTestFinished(() => database.close())
  return database
}

/** The broker's user, which owns the database, and another one, which may make objects in `public`: before PostgreSQL 15 all could. */
async function usersOf({ url, address, admin }: TestDatabase) {
  const id = randomBytes(6).toString("hex")
  const urlOf = (user: string) => Object.assign(new URL(url), { username: user, password: id }).href
  const [broker, neighbour] = [`broker_${id}`, `neighbour_${id}`]
  for (const user of [broker, neighbour]) await admin.unsafe(`CREATE ROLE ${user} LOGIN PASSWORD '${id}'`)
  await admin.unsafe(`ALTER DATABASE ${address.database} OWNER TO ${broker}`)
  await admin.unsafe("GRANT CREATE ON SCHEMA public TO PUBLIC")
  onTestFinished(async () => {
    await admin.unsafe(`ALTER DATABASE ${address.database} OWNER TO postgres`)
    await admin.unsafe(`DROP OWNED BY ${broker}, ${neighbour} CASCADE`)
    await admin.unsafe(`DROP ROLE ${broker}, ${neighbour}`)
  })
  const sql = postgres(urlOf(neighbour), { max: 1, onnotice: () => {} })
  onTestFinished(() => sql.end())
  return { address: addressOf(urlOf(broker)), neighbour: sql }
}

test("another user's functions never run with the broker's rights, however well their types fit", async () => {
  const { address, neighbour } = await usersOf(await aDatabase())
  const taking = (name: string, returns: string, value: string) =>
    `CREATE FUNCTION public.${name} RETURNS ${returns} LANGUAGE plpgsql AS
     $$ BEGIN INSERT INTO public.taken VALUES (current_user); RETURN ${value}; END $$`
  await neighbour.unsafe("CREATE TABLE public.taken (by text)")
  await neighbour.unsafe("GRANT INSERT ON public.taken TO PUBLIC")
  // The system's own take a bigint, and anything.
  await neighbour.unsafe(taking("pg_advisory_xact_lock(integer)", "integer", "1"))
  await neighbour.unsafe(taking("gathered(json, text)", "json", "'[]'::json"))
  await neighbour.unsafe("CREATE AGGREGATE public.json_agg(text) (sfunc = public.gathered, stype = json)")

  const store = await openPostgresStore(address, { deployment: DEPLOYMENT, sha256 })
  onTestFinished(() => store.close())
  const ledger = store.ledgers.of(ISSUER, "41") as SweptLedger
  const lease = { ...opening("a"), limited: [{ key: "a", grant: "a", max: 5, source: "a policy" }] }
  await ledger.admit({ ...admission("a"), lease })
  await ledger.lookDue(NOW + 1e9, 10)
  await ledger.takeDue(NOW + 1e9, 10)
  await ledger.look({ lease: "a", ...RUN })
  expect(await neighbour`SELECT * FROM public.taken`).toHaveLength(0)
})

test("brokers share a ledger, whatever isolation is the database's default", async () => {
  const database = await aDatabase()
  await database.admin.unsafe(
    `ALTER DATABASE ${database.address.database} SET default_transaction_isolation = serializable`,
  )
  const stores = [await database.open(), await database.open()]
  onTestFinished(async () => {
    for (const store of stores) await store.close()
  })
  const admitted = stores.flatMap((store, number) =>
    Array.from({ length: 20 }, (_, index) => store.ledgers.of(ISSUER, "41").admit(admission(`${number}-${index}`))),
  )
  expect(await Promise.all(admitted)).toEqual(admitted.map(() => ({ outcome: "admitted" })))
})
