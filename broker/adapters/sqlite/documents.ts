import type { Documents, StoredDocument } from "../../ports/documents.ts"
import type { Reading, Sql, Transact } from "../../ports/sql.ts"

/** The deployment's documents in any SQLite database. Only a writer that read the current version can replace one. */
export class SqlDocuments implements Documents {
  readonly #sql: Sql
  readonly #transact: Transact
  readonly #reading: Reading

  constructor(sql: Sql, transact: Transact, reading: Reading) {
    this.#sql = sql
    this.#transact = transact
    this.#reading = reading
  }

  read(name: string): Promise<StoredDocument> {
    return this.#reading(() => {
      const [row] = this.#sql.all<{ version: number; text: string }>(
        "SELECT version, text FROM documents WHERE name = ?",
        name,
      )
      return row ?? { version: 0, text: null }
    })
  }

  replace(name: string, expectedVersion: number, text: string): Promise<boolean> {
    return this.#transact(() => {
      const changed =
        expectedVersion === 0
          ? this.#sql.all(
              "INSERT INTO documents (name, version, text) VALUES (?, 1, ?) ON CONFLICT (name) DO NOTHING RETURNING version",
              name,
              text,
            )
          : this.#sql.all(
              "UPDATE documents SET version = version + 1, text = ? WHERE name = ? AND version = ? RETURNING version",
              text,
              name,
              expectedVersion,
            )
      return changed.length === 1
    })
  }
}
