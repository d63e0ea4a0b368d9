import type { Tile, TilePlace } from "../../../core/checkpoint/tiles.ts"
import type { LedgerKey } from "../../../ports/directory.ts"
import type { Reading, Sql } from "../../../ports/sql.ts"
import type { GrownLedger, LoggedHead, LogPlace, NewHead, TreeName, TreeStore } from "../../../ports/tree-store.ts"

type TreeRow = { readonly id: number; readonly size: number }

/** The trees in any SQLite database. */
export class SqlTreeStore implements TreeStore {
  readonly #sql: Sql
  /** Runs a transaction, or only reads, and gives failures of the storage their code. */
  readonly #work: Reading

  constructor(sql: Sql, work: Reading) {
    this.#sql = sql
    this.#work = work
  }

  size(tree: TreeName): Promise<number> {
    return this.#work(() => this.#row(tree)?.size ?? 0)
  }

  tiles(tree: TreeName, places: readonly TilePlace[]): Promise<readonly Tile[]> {
    return this.#work(() => {
      const id = this.#row(tree)?.id ?? 0
      return places.flatMap((place) => {
        const [row] = this.#sql.all<{ hashes: Uint8Array }>(
          "SELECT hashes FROM tiles WHERE tree = ? AND level = ? AND tile = ?",
          id,
          place.level,
          place.tile,
        )
        return row === undefined ? [] : [{ ...place, hashes: row.hashes }]
      })
    })
  }

  grow(tree: LedgerKey, from: number, to: number, tiles: readonly Tile[]): Promise<boolean> {
    return this.#change(() => this.#grow(tree, from, to, tiles))
  }

  forget(tree: LedgerKey): Promise<void> {
    return this.#change(() => {
      const row = this.#row(tree)
      if (row === undefined) return
      this.#sql.run("DELETE FROM tiles WHERE tree = ?", row.id)
      this.#sql.run("DELETE FROM logged_heads WHERE tree = ?", row.id)
      this.#sql.run("UPDATE trees SET size = 0 WHERE id = ?", row.id)
    })
  }

  grown(log: string, limit: number): Promise<readonly GrownLedger[]> {
    return this.#work(() =>
      this.#sql
        .all<{ issuer: string; unit_id: string; size: number }>(
          `SELECT t.issuer, t.unit_id, t.size FROM trees t
            WHERE t.issuer <> '' AND t.size > 0 AND t.size IS NOT (
              SELECT h.size FROM logged_heads h WHERE h.log = ? AND h.tree = t.id ORDER BY h.place DESC LIMIT 1
            ) ORDER BY t.id LIMIT ?`,
          log,
          limit,
        )
        .map(({ issuer, unit_id, size }) => ({ issuerUrl: issuer, unitId: unit_id, size })),
    )
  }

  append(
    log: string,
    { from, published }: LogPlace,
    heads: readonly NewHead[],
    tiles: readonly Tile[],
  ): Promise<boolean> {
    return this.#change(() => {
      if (!this.#grow({ log }, from, from + heads.length, tiles)) return false
      for (const [at, { size, root, ...ledger }] of heads.entries()) {
        const tree = this.#row(ledger)?.id ?? 0
        this.#sql.run(
          `DELETE FROM logged_heads WHERE log = ? AND tree = ? AND place < (
            SELECT max(place) FROM logged_heads WHERE log = ? AND tree = ? AND place < ?
          )`,
          log,
          tree,
          log,
          tree,
          published,
        )
        this.#sql.run(
          "INSERT INTO logged_heads (log, tree, place, size, root) VALUES (?, ?, ?, ?, ?)",
          log,
          tree,
          from + at,
          size,
          root,
        )
      }
      return true
    })
  }

  head(log: string, ledger: LedgerKey, below: number): Promise<LoggedHead | null> {
    return this.#work(() => {
      const [row] = this.#sql.all<{ place: number; size: number; root: string }>(
        "SELECT place, size, root FROM logged_heads WHERE log = ? AND tree = ? AND place < ? ORDER BY place DESC LIMIT 1",
        log,
        this.#row(ledger)?.id ?? 0,
        below,
      )
      return row === undefined ? null : { index: row.place, size: row.size, root: row.root }
    })
  }

  /** Inside a transaction. */
  #grow(tree: TreeName, from: number, to: number, tiles: readonly Tile[]): boolean {
    const [issuer, unitId] = columnsOf(tree)
    if ((this.#row(tree)?.size ?? 0) !== from) return false
    this.#sql.run(
      "INSERT INTO trees (issuer, unit_id, size) VALUES (?, ?, ?) ON CONFLICT (issuer, unit_id) DO UPDATE SET size = excluded.size",
      issuer,
      unitId,
      to,
    )
    const id = this.#row(tree)?.id ?? 0
    for (const { level, tile, hashes } of tiles) {
      this.#sql.run(
        `INSERT INTO tiles (tree, level, tile, hashes) VALUES (?, ?, ?, ?)
          ON CONFLICT (tree, level, tile) DO UPDATE SET hashes = excluded.hashes`,
        id,
        level,
        tile,
        hashes,
      )
    }
    return true
  }

  #row(tree: TreeName): TreeRow | undefined {
    return this.#sql.all<TreeRow>("SELECT id, size FROM trees WHERE issuer = ? AND unit_id = ?", ...columnsOf(tree))[0]
  }

  #change<Value>(change: () => Value): Promise<Value> {
    return this.#work(() => this.#sql.transaction(change))
  }
}

/** No issuer is empty, so that no ledger has a log's name. */
const columnsOf = (tree: TreeName): readonly [string, string] =>
  "log" in tree ? ["", tree.log] : [tree.issuerUrl, tree.unitId]
