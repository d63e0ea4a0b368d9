import type { AuditRecord } from "../../core/audit-record.ts"
import type { ChainedRecord } from "../../ports/ledger.ts"
import { type LeaseRow, leaseOf } from "../ledger/lease-row.ts"
import type { Head, Touched } from "../ledger/rows.ts"
import { FORGET_AT_MOST, forgottenBefore } from "../ledger/used-tokens.ts"
import { readArchives } from "./held-archive.ts"
import { HeldRows } from "./held-rows.ts"
import { type Row, rowsOf, type Session, type Statement } from "./session.ts"

/** A ledger of a transaction, and what its calls may look at. */
export interface Wanted {
  readonly id: string
  readonly touched: readonly Touched[]
}

type HeadRow = Row & {
  readonly id: string
  readonly seq: number
  readonly chain: string
  readonly due_at: number | null
  readonly latest_at: number
  readonly forgotten_until: number
  readonly quotas: string
}
type TokenRow = Row & {
  readonly ledger: string
  readonly key: string
  readonly expires_at: number
  readonly bound_to: string | null
  readonly proofs: number
  readonly replay_recorded: boolean
}
type StoredRow = LeaseRow & Row & { readonly ledger: string; readonly limited: string }

const HEAD = "id, seq, chain, due_at, latest_at, forgotten_until, quotas"
const TOKEN = "t.ledger, t.key, t.expires_at, t.bound_to, t.proofs, t.replay_recorded"
// Named with its schema, because this is also read outside of transactions: see `Session.begin`.
const LEASE = `l.ledger, l.id, l.run_id, l.run_attempt, l.state, l.ends_by, l.over_since, l.due_at, l.tried_at, l.attempts,
  l.unknown_until, l.credentials, (SELECT coalesce(pg_catalog.json_agg(g.grant_key), '[]')::text FROM daypass.limited_grants g
    WHERE g.ledger = l.ledger AND g.lease = l.id) AS limited`

/**
 * How heads are locked until the transaction ends. `skip`: those that another broker has locked are left out. `wait`: it waits
 * for them, in the order of their ids, so that brokers never wait for each other in a circle.
 */
export type Lock = "none" | "skip" | "wait"

const LOCKS: Readonly<Record<Lock, string>> = {
  none: "",
  skip: " FOR UPDATE SKIP LOCKED",
  wait: " ORDER BY id FOR UPDATE",
}

const headsOf = (wanted: readonly Wanted[], lock: Lock): Statement => ({
  text: `SELECT ${HEAD} FROM daypass.ledgers WHERE id = ANY($1::text::uuid[])${LOCKS[lock]}`,
  values: [`{${wanted.map(({ id }) => id).join(",")}}`],
})

/** The rows that were asked for, of all ledgers of a transaction. */
export class RowReading {
  readonly #wanted: readonly Wanted[]
  readonly #heads: Promise<{ readonly rows: readonly HeadRow[] }>
  readonly #parts: readonly Promise<(held: ReadonlyMap<string, HeldRows>) => void>[]

  /** Sends all statements at once; those that depend on the lock run after it. */
  constructor(session: Session, wanted: readonly Wanted[], lock: Lock) {
    this.#wanted = wanted
    this.#heads = session.run<HeadRow>(headsOf(wanted, lock))
    this.#heads.catch(() => {})
    this.#parts = [
      tokens(session, wanted),
      leases(session, wanted),
      grants(session, wanted),
      due(session, wanted),
      notClosed(session, wanted),
      dead(session, wanted),
      readArchives(session, wanted),
    ].filter((part) => part !== null)
    for (const part of this.#parts) part.catch(() => {})
  }

  /** The heads: call it before `rows`, to see whether the others can be used. */
  async heads(): Promise<ReadonlyMap<string, Head>> {
    const { rows } = await this.#heads
    return new Map(rows.map((row) => [row.id, headOf(row)]))
  }

  /** @param acceptFrom Unix seconds, see `store-row.ts` */
  async rows(acceptFrom: number): Promise<ReadonlyMap<string, HeldRows>> {
    const held = new Map([...(await this.heads())].map(([id, head]) => [id, new HeldRows(id, head, acceptFrom)]))
    for (const { id, touched } of this.#wanted) {
      const rows = held.get(id)
      if (!rows) continue
      for (const { tokens, leases, grants } of touched) {
        for (const key of tokens) rows.tokens.table.read(key, null)
        for (const lease of leases) rows.leases.table.read(lease, null)
        for (const key of grants) rows.leases.open.read(key, 0)
      }
    }
    for (const part of this.#parts) (await part)(held)
    return held
  }
}

function headOf(row: HeadRow): Head {
  return {
    seq: row.seq,
    chain: row.chain,
    dueAt: row.due_at,
    latestAt: row.latest_at,
    forgottenUntil: row.forgotten_until,
    quotas: row.quotas,
  }
}

type Part = Promise<(held: ReadonlyMap<string, HeldRows>) => void> | null

/** One row for each thing that a ledger's calls touch, each once. */
function keysOf(wanted: readonly Wanted[], keys: (touched: Touched) => readonly string[]): string | null {
  const rows = wanted.flatMap(({ id, touched }) =>
    [...new Set(touched.flatMap(keys))].map((key) => ({ ledger: id, key })),
  )
  return rows.length === 0 ? null : rowsOf(rows)
}

function tokens(session: Session, wanted: readonly Wanted[]): Part {
  const keys = keysOf(wanted, (touched) => touched.tokens)
  if (keys === null) return null
  const text = `SELECT ${TOKEN} FROM json_to_recordset($1::text::json) AS w(ledger uuid, key text)
    JOIN daypass.used_tokens t ON t.ledger = w.ledger AND t.key = w.key`
  return session.run<TokenRow>({ text, values: [keys] }).then(({ rows }) => readTokens(rows))
}

function leases(session: Session, wanted: readonly Wanted[]): Part {
  const keys = keysOf(wanted, (touched) => touched.leases)
  if (keys === null) return null
  const text = `SELECT ${LEASE} FROM json_to_recordset($1::text::json) AS w(ledger uuid, key text)
    JOIN daypass.leases l ON l.ledger = w.ledger AND l.id = w.key`
  return session.run<StoredRow>({ text, values: [keys] }).then(({ rows }) => readLeases(rows))
}

function grants(session: Session, wanted: readonly Wanted[]): Part {
  const keys = keysOf(wanted, (touched) => touched.grants)
  if (keys === null) return null
  const text = `SELECT w.ledger, w.key, (SELECT count(*) FROM daypass.limited_grants g
      WHERE g.ledger = w.ledger AND g.grant_key = w.key) AS open
    FROM json_to_recordset($1::text::json) AS w(ledger uuid, key text)`
  return session
    .run<Row & { ledger: string; key: string; open: number }>({ text, values: [keys] })
    .then(({ rows }) => (held) => {
      for (const { ledger, key, open } of rows) held.get(ledger)?.leases.open.read(key, open)
    })
}

/** One row for each sweep of a ledger. */
function sweepsOf(wanted: readonly Wanted[]): string | null {
  const rows = wanted.flatMap(({ id, touched }) =>
    touched.flatMap(({ due }) =>
      due ? [{ ledger: id, now: due.now, most: due.limit, dead: forgottenBefore(due.now) }] : [],
    ),
  )
  return rows.length === 0 ? null : rowsOf(rows)
}

function due(session: Session, wanted: readonly Wanted[]): Part {
  const sweeps = sweepsOf(wanted)
  if (sweeps === null) return null
  const text = `SELECT ${LEASE} FROM json_to_recordset($1::text::json) AS w(ledger uuid, now bigint, most integer),
    LATERAL (SELECT * FROM daypass.leases WHERE ledger = w.ledger AND due_at <= w.now
      AND state IN ('open', 'active', 'revoking') ORDER BY due_at LIMIT w.most) l`
  return session.run<StoredRow>({ text, values: [sweeps] }).then(({ rows }) => readLeases(rows))
}

function notClosed(session: Session, wanted: readonly Wanted[]): Part {
  const pages = wanted.flatMap(({ id, touched }) =>
    touched.flatMap(({ notClosed }) =>
      notClosed ? [{ ledger: id, after_id: notClosed.after, most: notClosed.limit }] : [],
    ),
  )
  if (pages.length === 0) return null
  // By bytes, as JavaScript and SQLite compare texts.
  const text = `SELECT ${LEASE} FROM json_to_recordset($1::text::json) AS w(ledger uuid, after_id text, most integer),
    LATERAL (SELECT * FROM daypass.leases WHERE ledger = w.ledger AND id COLLATE "C" > w.after_id
      AND state IN ('open', 'active', 'revoking') ORDER BY id COLLATE "C" LIMIT w.most) l`
  return session.run<StoredRow>({ text, values: [rowsOf(pages)] }).then(({ rows }) => readLeases(rows))
}

function dead(session: Session, wanted: readonly Wanted[]): Part {
  const sweeps = sweepsOf(wanted)
  if (sweeps === null) return null
  const text = `SELECT ${TOKEN} FROM json_to_recordset($1::text::json) AS w(ledger uuid, dead bigint),
    LATERAL (SELECT * FROM daypass.used_tokens WHERE ledger = w.ledger AND expires_at < w.dead
      ORDER BY expires_at LIMIT ${FORGET_AT_MOST}) t`
  return session.run<TokenRow>({ text, values: [sweeps] }).then(({ rows }) => readTokens(rows))
}

const readTokens = (rows: readonly TokenRow[]) => (held: ReadonlyMap<string, HeldRows>) => {
  for (const row of rows) {
    held.get(row.ledger)?.tokens.table.read(row.key, {
      expiresAt: row.expires_at,
      boundTo: row.bound_to,
      proofs: row.proofs,
      replayRecorded: row.replay_recorded,
    })
  }
}

const readLeases = (rows: readonly StoredRow[]) => (held: ReadonlyMap<string, HeldRows>) => {
  for (const row of rows) {
    held.get(row.ledger)?.leases.table.read(row.id, {
      lease: leaseOf(row),
      limited: JSON.parse(row.limited) as readonly string[],
    })
  }
}

/**
 * Makes revocations due that were tried by a clock that was ahead of `now`. Runs before the rows are read, so that a sweep
 * finds them due.
 */
export const healFuture = (ledgers: readonly { readonly id: string; readonly now: number }[]): Statement => ({
  text: `UPDATE daypass.leases l SET due_at = w.now, tried_at = w.now - 1
    FROM json_to_recordset($1::text::json) AS w(id uuid, now bigint)
    WHERE l.ledger = w.id AND l.state = 'revoking' AND l.tried_at > w.now`,
  values: [rowsOf(ledgers)],
})

/** The chained records of a ledger after number `after`. */
export async function readTrail(
  session: Session,
  ledger: string,
  after: number,
  limit: number,
): Promise<readonly ChainedRecord[]> {
  const { rows } = await session.run<{ record: string; leaf: string; chain: string }>({
    text: "SELECT record, leaf, chain FROM daypass.audit WHERE ledger = $1::text::uuid AND seq > $2::bigint ORDER BY seq LIMIT $3::bigint",
    values: [ledger, after, limit],
  })
  return rows.map(({ record, leaf, chain }) => ({ record: JSON.parse(record) as AuditRecord, leaf, chain }))
}
