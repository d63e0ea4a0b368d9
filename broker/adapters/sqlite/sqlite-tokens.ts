import type { Sql } from "../../ports/sql.ts"
import type { TokenRows } from "../ledger/rows.ts"
import { readStore } from "./store-row.ts"

/** Reads and writes the used tokens of one ledger. */
export class SqliteTokens implements TokenRows {
  readonly #sql: Sql
  readonly #ledger: number
  #acceptFrom: number | undefined

  constructor(sql: Sql, ledger: number) {
    this.#sql = sql
    this.#ledger = ledger
  }

  acceptFrom(): number {
    this.#acceptFrom ??= readStore(this.#sql).acceptFrom
    return this.#acceptFrom
  }

  has(key: string): boolean {
    const found = this.#sql.all("SELECT 1 AS used FROM used_tokens WHERE ledger = ? AND key = ?", this.#ledger, key)
    return found.length === 1
  }

  insert(key: string, expiresAt: number, boundTo: string | null): boolean {
    const inserted = this.#sql.all(
      "INSERT INTO used_tokens (ledger, key, expires_at, bound_to) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1 AS used",
      this.#ledger,
      key,
      expiresAt,
      boundTo,
    )
    return inserted.length === 1
  }

  binding(key: string): { readonly boundTo: string | null; readonly proofs: number } | null {
    const [used] = this.#sql.all<{ bound_to: string | null; proofs: number }>(
      "SELECT bound_to, proofs FROM used_tokens WHERE ledger = ? AND key = ?",
      this.#ledger,
      key,
    )
    return used ? { boundTo: used.bound_to, proofs: used.proofs } : null
  }

  countProof(key: string): void {
    this.#sql.run("UPDATE used_tokens SET proofs = proofs + 1 WHERE ledger = ? AND key = ?", this.#ledger, key)
  }

  markReplay(key: string): boolean {
    const first = this.#sql.all(
      "UPDATE used_tokens SET replay_recorded = 1 WHERE ledger = ? AND key = ? AND replay_recorded = 0 RETURNING 1 AS first",
      this.#ledger,
      key,
    )
    return first.length === 1
  }

  forget(before: number, atMost: number): readonly number[] {
    return this.#sql
      .all<{ expires_at: number }>(
        `DELETE FROM used_tokens WHERE (ledger, key) IN (
          SELECT ledger, key FROM used_tokens WHERE ledger = ? AND expires_at < ? ORDER BY expires_at LIMIT ?
        ) RETURNING expires_at`,
        this.#ledger,
        before,
        atMost,
      )
      .map(({ expires_at }) => expires_at)
  }

  earliestEnd(): number | null {
    const [token] = this.#sql.all<{ end: number | null }>(
      "SELECT min(expires_at) AS end FROM used_tokens WHERE ledger = ?",
      this.#ledger,
    )
    return token?.end ?? null
  }
}
