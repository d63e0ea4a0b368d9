import { OpenLedger } from "../../broker/adapters/ledger/open-ledger.ts"
import type { LedgerKey, StoredLease } from "../../broker/adapters/ledger/rows.ts"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import { sha256 } from "../../broker/adapters/node/sha256.ts"
import { NodeSql, openLedgerFile } from "../../broker/adapters/node/sqlite.ts"
import { SqliteRows } from "../../broker/adapters/sqlite/sqlite-rows.ts"
import { Secret } from "../../broker/core/secret.ts"
import { handleContext } from "../../broker/exchange/lease.ts"
import type { LeaseCredentialState } from "../../broker/ports/ledger.ts"
import type { Sql } from "../../broker/ports/sql.ts"
import type { Sealer } from "../../broker/signing/sealer.ts"

export interface DueLeases {
  readonly issuer: string
  readonly units: number
  readonly leasesEach: number
  /** Where they are revoked; left out: they only expire. */
  readonly vendor?: { readonly apiUrl: string; readonly sealer: Sealer }
}

/** Each lease became due a millisecond after the one before. */
const OLDEST_MS = 10 * 60_000

/** Writes leases that are due into a broker's data folder, by the store's own code, while no broker runs. */
export async function seedDueLeases(folder: string, wanted: DueLeases): Promise<void> {
  const units = Array.from({ length: wanted.units }, (_, index) => String(1000 + index))
  const leases = await dueLeases(units, wanted)
  await openNodeStore(folder).close()
  const sql = new NodeSql(openLedgerFile(folder))
  writeDueLeases(sql, leases)
  sql.database.close()
}

type OfUnit = { readonly key: LedgerKey; readonly leases: readonly StoredLease[] }

export async function dueLeases(
  units: readonly string[],
  wanted: Omit<DueLeases, "units">,
): Promise<readonly OfUnit[]> {
  const leases: OfUnit[] = []
  for (const unitId of units) {
    const key = { issuerUrl: wanted.issuer, unitId }
    const ids = Array.from({ length: wanted.leasesEach }, (_, index) => `due ${index}`)
    leases.push({ key, leases: await Promise.all(ids.map((id, index) => dueLease(id, index, key, wanted))) })
  }
  return leases
}

/** Into a broker's database that nothing else has open. */
export function writeDueLeases(sql: Sql, units: readonly OfUnit[]): void {
  sql.transaction(() => {
    for (const { key, leases } of units) {
      const ledger = new OpenLedger(SqliteRows.open(sql, key, sha256), sha256)
      for (const lease of leases) ledger.leases.add(lease, [])
      ledger.count({ openLeases: ledger.counts.openLeases + leases.length })
      ledger.findDue()
      ledger.save()
    }
  })
}

async function dueLease(
  id: string,
  index: number,
  key: LedgerKey,
  { vendor }: Omit<DueLeases, "units">,
): Promise<StoredLease> {
  const dueAt = Date.now() - OLDEST_MS + index
  const credential: LeaseCredentialState = {
    grant: "one",
    connection: "vendor",
    provider: "github",
    revocation: vendor ? "revocable" : "expires-only",
    expiresAt: vendor ? dueAt + 60 * 60_000 : dueAt,
    grantedUntil: vendor ? dueAt : null,
    sealedHandle: vendor
      ? await vendor.sealer.seal(
          new Secret(JSON.stringify({ api_url: vendor.apiUrl, token: `token-${key.unitId}-${index}` })),
          handleContext(key, id, "one"),
        )
      : null,
    ended: null,
  }
  return {
    id,
    runId: "1",
    runAttempt: "1",
    state: "active",
    endsBy: dueAt,
    overSince: null,
    triedAt: null,
    dueAt,
    attempts: 0,
    unknownUntil: 0,
    credentials: [credential],
  }
}
