import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js"
import type { Sha256 } from "../core/audit-chain.ts"
import { consistencyRanges, inclusionRanges } from "../core/checkpoint/proofs.ts"
import { appendLeaves, edgePlaces, placesOf, rootOfRange, TILE_HASHES, type Tile } from "../core/checkpoint/tiles.ts"
import type { Hash, LeafRange } from "../core/checkpoint/tree.ts"
import { BrokerError } from "../core/errors.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { ChainedRecord } from "../ports/ledger.ts"
import type { TreeName, TreeStore } from "../ports/tree-store.ts"

/** Roots and proofs of the stored trees. Each reads a few tiles, whatever the size of the tree. */
export class Trees {
  readonly #store: TreeStore
  readonly #sha256: Sha256

  constructor(store: TreeStore, sha256: Sha256) {
    this.#store = store
    this.#sha256 = sha256
  }

  /** The root of the tree's first `size` leaves. @throws {BrokerError} `ledger_unavailable` when it has fewer */
  async root(tree: TreeName, size: number): Promise<Hash> {
    const [root] = await this.#roots(tree, [{ from: 0, to: size }])
    return root as Hash
  }

  /** Proves that leaf `index` is in the tree of `size` leaves. @throws {BrokerError} `ledger_unavailable` */
  inclusion(tree: TreeName, index: number, size: number): Promise<readonly Hash[]> {
    return this.#roots(tree, inclusionRanges(index, size))
  }

  /** Proves that the tree of `size` leaves begins with the one of `old` leaves. @throws {BrokerError} `ledger_unavailable` */
  consistency(tree: TreeName, old: number, size: number): Promise<readonly Hash[]> {
    return this.#roots(tree, consistencyRanges(old, size))
  }

  /** The tiles that more leaves add to a tree of `size` leaves. @throws {BrokerError} `ledger_unavailable` */
  async tilesWith(tree: TreeName, size: number, leaves: readonly Hash[]): Promise<readonly Tile[]> {
    const edge = await this.#store.tiles(tree, edgePlaces(size))
    return wholeOr(() => appendLeaves(size, edge, leaves, this.#sha256))
  }

  async #roots(tree: TreeName, ranges: readonly LeafRange[]): Promise<readonly Hash[]> {
    const tiles = await this.#store.tiles(tree, placesOf(ranges))
    return wholeOr(() => ranges.map((range) => rootOfRange(range, tiles, this.#sha256)))
  }
}

/** What a tree makes of new records. */
export type Growth =
  | { readonly outcome: "grown" }
  /** Another broker was first, or records are missing before these: the ledger must be read from `size`. */
  | { readonly outcome: "unfit"; readonly size: number }
  /** A record that the tree has is another one now. */
  | { readonly outcome: "rewritten"; readonly seq: number }

/** Grows the tree of a ledger by records in order. Records that it has already are compared with its own. */
export async function growTree(
  trees: Trees,
  store: TreeStore,
  ledger: LedgerKey,
  records: readonly ChainedRecord[],
): Promise<Growth> {
  const size = await store.size(ledger)
  const known = records.filter(({ record }) => record.seq <= size)
  const rewritten = await firstRewritten(store, ledger, known)
  if (rewritten !== null) return { outcome: "rewritten", seq: rewritten }
  const fresh = records.slice(known.length)
  const [first] = fresh
  if (first === undefined) return { outcome: "grown" }
  if (first.record.seq !== size + 1) return { outcome: "unfit", size }
  const leaves = fresh.map(({ leaf }) => hexToBytes(leaf))
  const tiles = await trees.tilesWith(ledger, size, leaves)
  const grown = await store.grow(ledger, size, size + leaves.length, tiles)
  return grown ? { outcome: "grown" } : { outcome: "unfit", size: await store.size(ledger) }
}

/** The number of the first record whose leaf is not the one in the tree; null when all are. */
async function firstRewritten(
  store: TreeStore,
  ledger: LedgerKey,
  records: readonly ChainedRecord[],
): Promise<number | null> {
  const tileOf = ({ record }: ChainedRecord) => Math.floor((record.seq - 1) / TILE_HASHES)
  const places = [...new Set(records.map(tileOf))].map((tile) => ({ level: 0, tile }))
  const tiles = await store.tiles(ledger, places)
  for (const one of records) {
    const hashes = tiles.find(({ tile }) => tile === tileOf(one))?.hashes
    const at = ((one.record.seq - 1) % TILE_HASHES) * 32
    if (hashes === undefined || bytesToHex(hashes.subarray(at, at + 32)) !== one.leaf) return one.record.seq
  }
  return null
}

function wholeOr<Value>(work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const detail =
      "The stored hashes of the audit trail do not reach so far: they are being built again from the ledgers, or the record was archived before they were."
    throw new BrokerError("ledger_unavailable", detail, { cause: error })
  }
}
