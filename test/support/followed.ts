import { DatabaseSync } from "node:sqlite"
import { NodeSql } from "../../broker/adapters/node/sqlite.ts"
import { SqlFollowStore } from "../../broker/adapters/sqlite/operate/follow-store.ts"
import { SqlIndexStore } from "../../broker/adapters/sqlite/operate/index-store.ts"
import { migrateOperate } from "../../broker/adapters/sqlite/operate/schema.ts"
import type { AuditRecord } from "../../broker/core/audit-record.ts"
import type { LedgerHead } from "../../broker/ports/directory.ts"
import type { ChainedRecord, Ledgers } from "../../broker/ports/ledger.ts"
import type { Reading } from "../../broker/ports/sql.ts"

const reading: Reading = async (work) => work()

/** The store of what follows the ledgers, in memory: the real one, over SQLite. */
export function openFollowStore() {
  const sql = new NodeSql(new DatabaseSync(":memory:"))
  migrateOperate(sql)
  return {
    sql,
    places: () => new SqlFollowStore(sql, reading),
    index: () => new SqlIndexStore(sql, reading),
  }
}

/** Ledgers of which only the record can be read. Their hashes are made up. */
export class ScriptedRecord implements Ledgers {
  readonly #records = new Map<string, ChainedRecord[]>()
  /** Ledgers that cannot be read. */
  readonly broken = new Set<string>()
  reads = 0

  /** Adds a record, or sets the ledger back to its first `seq` records. */
  append(unitId: string, record: Omit<AuditRecord, "seq">): void {
    const records = this.#of(unitId)
    const seq = records.length + 1
    records.push({ record: { ...record, seq }, leaf: `leaf ${unitId} ${seq}`, chain: `chain ${unitId} ${seq}` })
  }

  setBack(unitId: string, seq: number): void {
    this.#of(unitId).length = seq
  }

  heads(): readonly LedgerHead[] {
    return [...this.#records].map(([unitId, records]) => ({
      issuerUrl: ISSUER,
      unitId,
      seq: records.length,
      chain: records.at(-1)?.chain ?? "",
      latestAt: Date.parse(records.at(-1)?.record.at ?? "1970-01-01"),
      openLeases: 0,
    }))
  }

  of(_: string, unitId: string) {
    const auditTrail = async (after: number, limit: number) => {
      this.reads += 1
      if (this.broken.has(unitId)) throw new Error("a test's fault")
      return this.#of(unitId).slice(after, after + limit)
    }
    return { auditTrail } as unknown as ReturnType<Ledgers["of"]>
  }

  #of(unitId: string): ChainedRecord[] {
    const records = this.#records.get(unitId) ?? []
    this.#records.set(unitId, records)
    return records
  }
}

export const ISSUER = "https://token.actions.githubusercontent.com"
