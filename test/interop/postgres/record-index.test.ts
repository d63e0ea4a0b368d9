import { afterAll, beforeAll, expect, test } from "vitest"
import type { NodeStore } from "../../../broker/ports/node-store.ts"
import { recordIndexContract } from "../../contract/record-index.suite.ts"
import { makeDatabase, type TestDatabase } from "./database.ts"

let database: TestDatabase
let store: NodeStore

beforeAll(async () => {
  database = await makeDatabase()
  store = await database.open()
})
afterAll(async () => {
  await store.close()
  await database.close()
})

recordIndexContract("in PostgreSQL", {
  ledgers: () => store.ledgers,
  operate: () => store.operate,
  restart: async () => {
    await store.close()
    store = await database.open()
    // As half a minute later: until then, the broker that ended is the one that follows.
    await database.admin`UPDATE daypass.follower SET follows_until = clock_timestamp()`
  },
})

test("one of several brokers follows, and another does when it has ended", async () => {
  const other = await database.open()
  try {
    expect(await store.operate.leads()).toBe(true)
    expect(await other.operate.leads()).toBe(false)
    await database.admin`UPDATE daypass.follower SET follows_until = clock_timestamp()`
    expect(await other.operate.leads()).toBe(true)
  } finally {
    await other.close()
  }
})
