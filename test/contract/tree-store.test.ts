import { DatabaseSync } from "node:sqlite"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { migrateOperate } from "../../broker/adapters/sqlite/operate/schema.ts"
import { SqlTreeStore } from "../../broker/adapters/sqlite/operate/tree-store.ts"
import { treeStoreContract } from "./tree-store.suite.ts"

const sql = new NodeSql(new DatabaseSync(":memory:"))
migrateOperate(sql)
const store = new SqlTreeStore(sql, async (work) => work())

treeStoreContract("in SQLite", () => store)
