import type { KeyRing, StoredKey, StoredKeys } from "../../ports/key-ring.ts"
import type { Sql, Transact } from "../../ports/sql.ts"

/**
 * The deployment's signing keys in any SQLite database: one row. Only a writer that read the current version can replace
 * it.
 */
export class SqlKeyRing implements KeyRing {
  readonly #sql: Sql
  readonly #transact: Transact

  constructor(sql: Sql, transact: Transact) {
    this.#sql = sql
    this.#transact = transact
  }

  read(): Promise<StoredKeys> {
    return this.#transact(() => {
      const [row] = this.#sql.all<{ version: number; keys: string }>("SELECT version, keys FROM key_ring WHERE id = 1")
      if (!row) throw new Error("the key ring's row is missing")
      return { version: row.version, keys: JSON.parse(row.keys) as readonly StoredKey[] }
    })
  }

  replace(expectedVersion: number, keys: readonly StoredKey[]): Promise<boolean> {
    return this.#transact(() => {
      const changed = this.#sql.all(
        "UPDATE key_ring SET version = version + 1, keys = ? WHERE id = 1 AND version = ? RETURNING version",
        JSON.stringify(keys),
        expectedVersion,
      )
      return changed.length === 1
    })
  }
}
