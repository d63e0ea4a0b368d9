import type { KeyRing, StoredKey, StoredKeys } from "../../ports/key-ring.ts"
import type { Marks } from "../../ports/marks.ts"
import type { Session } from "./session.ts"

/** How the deployment's own rows are reached: reads alone, and writes in a transaction whose durability was checked. */
export interface OwnRows {
  read<Value>(work: (session: Session) => Promise<Value>): Promise<Value>
  write<Value>(work: (session: Session) => Promise<Value>): Promise<Value>
}

/** The deployment's signing keys: one row. Only a writer that read the current version can replace it. */
export class PostgresKeyRing implements KeyRing {
  readonly #rows: OwnRows

  constructor(rows: OwnRows) {
    this.#rows = rows
  }

  read(): Promise<StoredKeys> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ version: number; keys: string }>({
        text: "SELECT version, keys FROM daypass.key_ring WHERE id = $1::integer",
        values: [1],
      })
      const [row] = rows
      if (!row) throw new Error("the key ring's row is missing")
      return { version: row.version, keys: JSON.parse(row.keys) as readonly StoredKey[] }
    })
  }

  replace(expectedVersion: number, keys: readonly StoredKey[]): Promise<boolean> {
    return this.#rows.write(async (session) => {
      const { rows } = await session.run({
        text: "UPDATE daypass.key_ring SET version = version + 1, keys = $1 WHERE id = 1 AND version = $2::bigint RETURNING 1 AS one",
        values: [JSON.stringify(keys), expectedVersion],
      })
      return rows.length === 1
    })
  }
}

/** The deployment's marks, or what follows the record must remember: a table each. */
export class PostgresMarks implements Marks {
  readonly #rows: OwnRows
  readonly #table: "marks" | "outbound_marks"

  constructor(rows: OwnRows, table: "marks" | "outbound_marks") {
    this.#rows = rows
    this.#table = table
  }

  read(name: string): Promise<string | null> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ value: string }>({
        text: `SELECT value FROM daypass.${this.#table} WHERE name = $1`,
        values: [name],
      })
      return rows[0]?.value ?? null
    })
  }

  async write(name: string, value: string): Promise<void> {
    if ((await this.read(name)) === value) return
    await this.#rows.write(async (session) => {
      await session.run({
        text: `INSERT INTO daypass.${this.#table} VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        values: [name, value],
      })
    })
  }
}
