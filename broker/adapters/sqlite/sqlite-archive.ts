import type { Sql } from "../../ports/sql.ts"
import type { ArchiveRows, OldestRecords, StoredCut } from "../ledger/rows.ts"

/** The records of one ledger that leave it, in any SQLite database. */
export class SqliteArchive implements ArchiveRows {
  readonly #sql: Sql
  readonly #ledger: number

  constructor(sql: Sql, ledger: number) {
    this.#sql = sql
    this.#ledger = ledger
  }

  cut(): StoredCut | null {
    const [cut] = this.#sql.all<{ seq: number; chain: string; edge: string; day: number; reach: number }>(
      "SELECT seq, chain, edge, day, reach FROM archived WHERE ledger = ?",
      this.#ledger,
    )
    return cut ?? null
  }

  oldest(upTo: number): OldestRecords {
    const [row] = this.#sql.all<{ records: number; chain: string | null; earliest: string; latest: string }>(
      `SELECT count(*) AS records, max(CASE WHEN seq = ? THEN chain END) AS chain,
         min(record ->> '$.at') AS earliest, max(record ->> '$.at') AS latest
       FROM audit WHERE ledger = ? AND seq <= ?`,
      upTo,
      this.#ledger,
      upTo,
    )
    const { records = 0, chain = "", earliest = "", latest = "" } = row ?? {}
    return { records, chain: chain ?? "", earliestAt: Date.parse(earliest), latestAt: Date.parse(latest) }
  }

  begin({ seq, chain, edge, day, reach }: StoredCut): void {
    this.#sql.run("DELETE FROM audit WHERE ledger = ? AND seq <= ?", this.#ledger, seq)
    this.#sql.run(
      "INSERT OR REPLACE INTO archived (ledger, seq, chain, edge, day, reach) VALUES (?, ?, ?, ?, ?, ?)",
      this.#ledger,
      seq,
      chain,
      edge,
      day,
      reach,
    )
  }
}
