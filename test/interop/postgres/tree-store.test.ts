import { afterAll, beforeAll } from "vitest"
import type { NodeStore } from "../../../broker/ports/node-store.ts"
import { treeStoreContract } from "../../contract/tree-store.suite.ts"
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

treeStoreContract("in PostgreSQL", () => store.operate.trees)
