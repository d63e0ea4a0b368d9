import { afterAll } from "vitest"
import { describeAlertQueue } from "../../contract/alert-queue.suite.ts"
import { makeDatabase } from "./database.ts"

const ends = new AsyncDisposableStack()
afterAll(() => ends.disposeAsync())

describeAlertQueue("PostgreSQL", async () => {
  const database = await makeDatabase()
  ends.defer(() => database.close())
  const store = await database.open()
  ends.defer(() => store.close())
  return store.operate.outbound
})
