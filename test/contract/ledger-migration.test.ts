import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, describe, expect, test } from "vitest"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { migrate } from "../../broker/adapters/sqlite/schema.ts"
import type { SweptLedger } from "../../broker/ports/ledger.ts"
import type { NodeStore } from "../../broker/ports/node-store.ts"
import schema1 from "../vectors/ledger-schema-1.json" with { type: "json" }
import { migrationContract, OLD_LEDGER } from "./ledger-migration.suite.ts"

let folder = ""
let store: NodeStore | undefined

afterEach(async () => {
  await store?.close()
  store = undefined
  if (folder !== "") rmSync(folder, { recursive: true })
  folder = ""
})

migrationContract("on Node", async (statements) => {
  folder = mkdtempSync(join(tmpdir(), "daypass-migration-"))
  const database = new DatabaseSync(join(folder, "ledger.db"))
  for (const statement of statements) database.exec(statement)
  database.close()
  // Twice: what was brought to this version is opened like any other.
  await openNodeStore(folder).close()
  store = openNodeStore(folder)
  return store.ledgers.of(OLD_LEDGER.issuerUrl, OLD_LEDGER.unitId) as SweptLedger
})

test("a ledger of schema version 1 has the columns of a new one in the end: no old step was changed", () => {
  const columns = (statements: readonly string[]) => {
    const sql = new NodeSql(new DatabaseSync(":memory:"))
    for (const statement of statements) sql.run(statement)
    migrate(sql)
    return sql.all(
      `SELECT tables.name AS owner, columns.name, columns.type, columns."notnull", columns.pk
        FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns ORDER BY 1, 2`,
    )
  }
  expect(columns(schema1.statements)).toEqual(columns([]))
})

describe("the floor of a schema", () => {
  const database = (...statements: string[]) => {
    const sql = new NodeSql(new DatabaseSync(":memory:"))
    for (const statement of statements) sql.run(statement)
    return sql
  }
  const versions = (sql: NodeSql) => ({ ...sql.all("SELECT * FROM schema_version")[0] })
  const one = ["CREATE TABLE a (x INTEGER NOT NULL) STRICT"]
  const adds = ["ALTER TABLE a ADD COLUMN y INTEGER"]

  test("lets the code before an adding step go on, and leaves the newer schema as it is", () => {
    const sql = database()
    migrate(sql, [one, adds], 1)
    migrate(sql, [one], 1)
    sql.run("INSERT INTO a (x) VALUES (1)")
    expect(versions(sql)).toEqual({ version: 2, readable_from: 1 })
    expect(sql.all("SELECT x, y FROM a").map((row) => ({ ...row }))).toEqual([{ x: 1, y: null }])
    migrate(sql, [one, adds], 1)
    expect(versions(sql)).toEqual({ version: 2, readable_from: 1 })
  })

  test("refuses the code before a step that raised it, and changes nothing", () => {
    const sql = database()
    migrate(sql, [one, adds], 2)
    expect(() => migrate(sql, [one], 1)).toThrow("schema 2, readable from 2; this version knows 1")
    expect(versions(sql)).toEqual({ version: 2, readable_from: 2 })
  })

  test("is added to a database from before there were floors, with the next step", () => {
    const sql = database(
      "CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT",
      "INSERT INTO schema_version VALUES (1)",
      ...one,
    )
    migrate(sql, [one], 1)
    expect(versions(sql)).toEqual({ version: 1 })
    migrate(sql, [one, adds], 1)
    expect(versions(sql)).toEqual({ version: 2, readable_from: 1 })
  })
})
