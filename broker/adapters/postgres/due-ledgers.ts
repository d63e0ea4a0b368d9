import { OVERDUE_COUNTED_AT_MOST, type Overdue } from "../../ports/sweeping.ts"
import { CLOCK_TOLERANCE_MS } from "../ledger/open-ledger.ts"
import type { LedgerKey } from "../ledger/rows.ts"
import type { Session } from "./session.ts"

/**
 * How long the ledgers of one broker's sweep are left alone by the others. By the server's clock. A broker that ends meanwhile
 * delays them by as much.
 */
const CLAIMED_FOR = "20 seconds"

export interface DueAsked {
  /** The broker's own id. */
  readonly broker: string
  /** Unix milliseconds. */
  readonly now: number
  readonly limit: number
}

type KeyRow = { readonly issuer: string; readonly unit_id: string }

/**
 * Takes ledgers with something due, those due earliest first, for the sweep of one broker. Several brokers share the work:
 * none takes what another has taken, and none waits for it. It only saves work. That no lease is revoked twice at a time is
 * decided in each ledger's own transaction.
 */
export async function dueLedgers(session: Session, { broker, now, limit }: DueAsked): Promise<readonly LedgerKey[]> {
  const { rows } = await session.runAlone<KeyRow>({
    text: `WITH due AS (
        SELECT id FROM daypass.ledgers
        WHERE due_at <= $1::bigint
          AND (swept_until IS NULL OR swept_until < clock_timestamp() OR swept_by = $2::text::uuid)
        ORDER BY due_at LIMIT $3::bigint FOR UPDATE SKIP LOCKED
      ), taken AS (
        UPDATE daypass.ledgers l SET swept_by = $2::text::uuid, swept_until = clock_timestamp() + interval '${CLAIMED_FOR}'
        FROM due WHERE l.id = due.id RETURNING l.issuer, l.unit_id, l.due_at
      ) SELECT issuer, unit_id FROM taken ORDER BY due_at`,
    values: [now, broker, limit],
  })
  return rows.map((row) => ({ issuerUrl: row.issuer, unitId: row.unit_id }))
}

/**
 * Makes ledgers due that have seen a much later time than `now` (Unix milliseconds): a clock was ahead. What they tried at
 * that time waits for it to come again, unless they are visited. Reads all ledgers, so it is for a clock that was set back.
 */
export async function makeDueThatAreAhead(session: Session, now: number): Promise<void> {
  await session.runAlone({
    text: "UPDATE daypass.ledgers SET due_at = $1::bigint WHERE latest_at > $2::bigint AND due_at > $1::bigint",
    values: [now, now + CLOCK_TOLERANCE_MS],
  })
}

/** Leases of all ledgers that are overdue at `now` (Unix milliseconds). Reads only ledgers that are due. */
export async function overdueLeases(session: Session, now: number): Promise<Overdue> {
  const { rows } = await session.run<{ leases: number; since: number | null }>({
    text: `SELECT count(*) AS leases, min(due_at) AS since FROM (
        SELECT l.due_at FROM daypass.ledgers h CROSS JOIN LATERAL (
          SELECT due_at FROM daypass.leases
          WHERE ledger = h.id AND due_at <= $1::bigint AND state IN ('open', 'active', 'revoking')
          ORDER BY due_at LIMIT ${OVERDUE_COUNTED_AT_MOST}
        ) l WHERE h.due_at <= $1::bigint LIMIT ${OVERDUE_COUNTED_AT_MOST}
      ) counted`,
    values: [now],
  })
  return { leases: rows[0]?.leases ?? 0, since: rows[0]?.since ?? null }
}

/** The latest time that any ledger of this database has seen, in Unix milliseconds; 0 when there is none. */
export async function latestTime(session: Session): Promise<number> {
  const { rows } = await session.run<{ latest: number | null }>({
    text: "SELECT max(latest_at) AS latest FROM daypass.ledgers",
  })
  return rows[0]?.latest ?? 0
}
