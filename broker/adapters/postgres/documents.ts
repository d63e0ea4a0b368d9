import type { Documents, StoredDocument } from "../../ports/documents.ts"
import type { OwnRows } from "./key-ring.ts"

/** The deployment's documents: one row each. Only a writer that read the current version can replace one. */
export class PostgresDocuments implements Documents {
  readonly #rows: OwnRows

  constructor(rows: OwnRows) {
    this.#rows = rows
  }

  read(name: string): Promise<StoredDocument> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ version: number; text: string }>({
        text: "SELECT version, text FROM daypass.documents WHERE name = $1",
        values: [name],
      })
      return rows[0] ?? { version: 0, text: null }
    })
  }

  replace(name: string, expectedVersion: number, text: string): Promise<boolean> {
    return this.#rows.write(async (session) => {
      const { rows } = await session.run(
        expectedVersion === 0
          ? {
              text: "INSERT INTO daypass.documents VALUES ($1, 1, $2) ON CONFLICT (name) DO NOTHING RETURNING 1 AS one",
              values: [name, text],
            }
          : {
              text: "UPDATE daypass.documents SET version = version + 1, text = $1 WHERE name = $2 AND version = $3::bigint RETURNING 1 AS one",
              values: [text, name, expectedVersion],
            },
      )
      return rows.length === 1
    })
  }
}
