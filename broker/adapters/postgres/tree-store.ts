import type { Tile, TilePlace } from "../../core/checkpoint/tiles.ts"
import type { LedgerKey } from "../../ports/directory.ts"
import type { GrownLedger, LoggedHead, LogPlace, NewHead, TreeName, TreeStore } from "../../ports/tree-store.ts"
import type { OwnRows } from "./key-ring.ts"
import { rowsOf, type Session } from "./session.ts"

/** The trees in a database that several brokers share. Tiles travel in base64, as the index's bytes do. */
export class PostgresTreeStore implements TreeStore {
  readonly #rows: OwnRows

  constructor(rows: OwnRows) {
    this.#rows = rows
  }

  size(tree: TreeName): Promise<number> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ size: number }>({
        text: "SELECT size FROM daypass.trees WHERE issuer = $1 AND unit_id = $2",
        values: columnsOf(tree),
      })
      return rows[0]?.size ?? 0
    })
  }

  tiles(tree: TreeName, places: readonly TilePlace[]): Promise<readonly Tile[]> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ level: number; tile: number; hashes: string }>({
        text: `SELECT t.level, t.tile, pg_catalog.encode(t.hashes, 'base64') AS hashes
          FROM json_to_recordset($3::text::json) AS w(level integer, tile bigint)
          JOIN daypass.trees n ON n.issuer = $1 AND n.unit_id = $2
          JOIN daypass.tiles t ON t.tree = n.id AND t.level = w.level AND t.tile = w.tile`,
        values: [...columnsOf(tree), rowsOf(places.map(({ level, tile }) => ({ level, tile })))],
      })
      return rows.map(({ level, tile, hashes }) => {
        return { level, tile, hashes: Uint8Array.from(Buffer.from(hashes, "base64")) }
      })
    })
  }

  grow(tree: LedgerKey, from: number, to: number, tiles: readonly Tile[]): Promise<boolean> {
    return this.#rows.write((session) => grow(session, tree, { from, to, tiles }))
  }

  async forget(tree: LedgerKey): Promise<void> {
    await this.#rows.write(async (session) => {
      const { id } = await locked(session, tree)
      await session.run({ text: "DELETE FROM daypass.tiles WHERE tree = $1::integer", values: [id] })
      await session.run({ text: "DELETE FROM daypass.logged_heads WHERE tree = $1::integer", values: [id] })
      await session.run({ text: "UPDATE daypass.trees SET size = 0 WHERE id = $1::integer", values: [id] })
    })
  }

  grown(log: string, limit: number): Promise<readonly GrownLedger[]> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ issuer: string; unit_id: string; size: number }>({
        text: `SELECT t.issuer, t.unit_id, t.size FROM daypass.trees t
          WHERE t.issuer <> '' AND t.size > 0 AND t.size IS DISTINCT FROM (
            SELECT h.size FROM daypass.logged_heads h WHERE h.log = $1 AND h.tree = t.id ORDER BY h.place DESC LIMIT 1
          ) ORDER BY t.id LIMIT $2::bigint`,
        values: [log, limit],
      })
      return rows.map(({ issuer, unit_id, size }) => ({ issuerUrl: issuer, unitId: unit_id, size }))
    })
  }

  append(
    log: string,
    { from, published }: LogPlace,
    heads: readonly NewHead[],
    tiles: readonly Tile[],
  ): Promise<boolean> {
    return this.#rows.write(async (session) => {
      if (!(await grow(session, { log }, { from, to: from + heads.length, tiles }))) return false
      const named = heads.map(({ issuerUrl, unitId, size, root }, at) => {
        return { issuer: issuerUrl, unit_id: unitId, place: from + at, size, root }
      })
      const given =
        "json_to_recordset($2::text::json) AS w(issuer text, unit_id text, place bigint, size bigint, root text)"
      const of = `${given} JOIN daypass.trees t ON t.issuer = w.issuer AND t.unit_id = w.unit_id`
      await session.run({
        text: `DELETE FROM daypass.logged_heads h USING ${of} WHERE h.log = $1 AND h.tree = t.id AND h.place < (
          SELECT max(o.place) FROM daypass.logged_heads o WHERE o.log = $1 AND o.tree = t.id AND o.place < $3::bigint)`,
        values: [log, rowsOf(named), published],
      })
      await session.run({
        text: `INSERT INTO daypass.logged_heads (log, tree, place, size, root)
          SELECT $1, t.id, w.place, w.size, w.root FROM ${of}`,
        values: [log, rowsOf(named)],
      })
      return true
    })
  }

  head(log: string, ledger: LedgerKey, below: number): Promise<LoggedHead | null> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ place: number; size: number; root: string }>({
        text: `SELECT h.place, h.size, h.root FROM daypass.logged_heads h
          JOIN daypass.trees t ON t.id = h.tree AND t.issuer = $2 AND t.unit_id = $3
          WHERE h.log = $1 AND h.place < $4::bigint ORDER BY h.place DESC LIMIT 1`,
        values: [log, ...columnsOf(ledger), below],
      })
      const [row] = rows
      return row === undefined ? null : { index: row.place, size: row.size, root: row.root }
    })
  }
}

interface Growing {
  readonly from: number
  readonly to: number
  readonly tiles: readonly Tile[]
}

async function grow(session: Session, tree: TreeName, { from, to, tiles }: Growing): Promise<boolean> {
  const { id, size } = await locked(session, tree)
  if (size !== from) return false
  await session.run({
    text: "UPDATE daypass.trees SET size = $2::bigint WHERE id = $1::integer",
    values: [id, to],
  })
  const rows = tiles.map(({ level, tile, hashes }) => {
    return { level, tile, hashes: Buffer.from(hashes).toString("base64") }
  })
  await session.run({
    text: `INSERT INTO daypass.tiles (tree, level, tile, hashes)
      SELECT $1::integer, level, tile, decode(hashes, 'base64')
      FROM json_to_recordset($2::text::json) AS w(level integer, tile bigint, hashes text)
      ON CONFLICT (tree, level, tile) DO UPDATE SET hashes = excluded.hashes`,
    values: [id, rowsOf(rows)],
  })
  return true
}

/** The tree's row, which no other broker changes until this transaction ends. */
async function locked(session: Session, tree: TreeName): Promise<{ readonly id: number; readonly size: number }> {
  const values = columnsOf(tree)
  await session.run({
    text: "INSERT INTO daypass.trees (issuer, unit_id, size) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING",
    values,
  })
  const { rows } = await session.run<{ id: number; size: number }>({
    text: "SELECT id, size FROM daypass.trees WHERE issuer = $1 AND unit_id = $2 FOR UPDATE",
    values,
  })
  const [row] = rows
  if (!row) throw new Error("a tree that was just made is missing")
  return row
}

/** No issuer is empty, so that no ledger has a log's name. */
const columnsOf = (tree: TreeName): readonly [string, string] =>
  "log" in tree ? ["", tree.log] : [tree.issuerUrl, tree.unitId]
