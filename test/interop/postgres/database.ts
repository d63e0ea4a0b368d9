import postgres from "postgres"
import { inject } from "vitest"
import type { NodeStore } from "../../../broker/adapters/node/ledgers.ts"
import { sha256 } from "../../../broker/adapters/node/sha256.ts"
import { type DatabaseAddress, readDatabaseAddress } from "../../../broker/adapters/postgres/address.ts"
import { openPostgresStore } from "../../../broker/adapters/postgres/ledgers.ts"
import type { Log } from "../../../broker/ports/log.ts"

export const DEPLOYMENT = "https://broker.example"

export interface TestDatabase {
  readonly url: string
  readonly address: DatabaseAddress
  /** As the administrator. */
  readonly admin: postgres.Sql
  open(options?: { readonly log?: Log; readonly deployment?: string; readonly now?: () => number }): Promise<NodeStore>
  close(): Promise<void>
}

export function addressOf(url: string): DatabaseAddress {
  const address = readDatabaseAddress(url, undefined)
  if (!address.ok) throw new Error(address.fault)
  return address.value
}

/** A new, empty database. */
export async function makeDatabase(): Promise<TestDatabase> {
  const first = inject("postgres")
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`
  const maker = postgres(first, { max: 1, onnotice: () => {} })
  await maker.unsafe(`CREATE DATABASE ${name}`)
  const url = first.replace(/\/postgres$/, `/${name}`)
  const address = addressOf(url)
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  return {
    url,
    address,
    admin,
    open: ({ log = () => {}, deployment = DEPLOYMENT, now = Date.now } = {}) =>
      openPostgresStore(address, { deployment, sha256, log, now }),
    async close() {
      await admin.end()
      await maker.unsafe(`DROP DATABASE ${name} WITH (FORCE)`)
      await maker.end()
    },
  }
}
