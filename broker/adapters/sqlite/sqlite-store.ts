import type { Sha256 } from "../../core/audit-chain.ts"
import type { AuditRecord } from "../../core/audit-record.ts"
import type { ChainedRecord } from "../../ports/ledger.ts"
import type { Reading, Sql, Transact, Way } from "../../ports/sql.ts"
import { OpenLedger } from "../ledger/open-ledger.ts"
import type { LedgerKey, Touched } from "../ledger/rows.ts"
import type { LedgerStore } from "../ledger/store.ts"
import { SqliteRows } from "./sqlite-rows.ts"

export interface SqliteStoreOptions {
  readonly sql: Sql
  readonly transact: Transact
  /** Reads without a transaction: storage that cannot be written can often be read. */
  readonly reading: Reading
  readonly sha256: Sha256
}

/** Ledgers in any SQLite database. The edge and Node differ only in the options. */
export class SqliteStore implements LedgerStore {
  readonly #options: SqliteStoreOptions

  constructor(options: SqliteStoreOptions) {
    this.#options = options
  }

  write<Value>(key: LedgerKey, _: Touched, way: Way, work: (ledger: OpenLedger) => Value): Promise<Value> {
    const { sql, transact, sha256 } = this.#options
    const name = JSON.stringify([key.issuerUrl, key.unitId])
    return transact(
      (batch) => work(batch.open(name, () => new OpenLedger(SqliteRows.open(sql, key, sha256), sha256))),
      way,
    )
  }

  read<Value>(key: LedgerKey, _: Touched, work: (ledger: OpenLedger | null) => Value): Promise<Value> {
    const { sql, reading, sha256 } = this.#options
    return reading(() => {
      const rows = SqliteRows.find(sql, key)
      return work(rows && new OpenLedger(rows, sha256))
    })
  }

  trail({ issuerUrl, unitId }: LedgerKey, after: number, limit: number): Promise<readonly ChainedRecord[]> {
    const { sql, transact } = this.#options
    return transact(() => {
      const rows = sql.all<{ record: string; leaf: string; chain: string }>(
        `SELECT record, leaf, chain FROM audit
         WHERE ledger = (SELECT id FROM ledgers WHERE issuer = ? AND repository_id = ?) AND seq > ? ORDER BY seq LIMIT ?`,
        issuerUrl,
        unitId,
        after,
        limit,
      )
      return rows.map(({ record, leaf, chain }) => ({ record: JSON.parse(record) as AuditRecord, leaf, chain }))
    })
  }
}
