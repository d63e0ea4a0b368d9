import { DatabaseSync } from "node:sqlite"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { SqlMarks } from "../../broker/adapters/sqlite/marks.ts"
import { migrateOperate } from "../../broker/adapters/sqlite/operate/schema.ts"
import { SqlAlertQueue } from "../../broker/adapters/sqlite/outbound/alert-queue.ts"
import { describeAlertQueue } from "./alert-queue.suite.ts"

describeAlertQueue("SQLite", async () => {
  const sql = new NodeSql(new DatabaseSync(":memory:"))
  migrateOperate(sql)
  migrateOperate(sql)
  const work = async <Value>(one: () => Value) => one()
  return { queue: new SqlAlertQueue(sql, work), marks: new SqlMarks(sql, work, work) }
})
