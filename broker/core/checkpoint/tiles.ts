import type { Sha256 } from "../audit-chain.ts"
import { completeSubtrees, type Hash, joined, type LeafRange, nodeHash } from "./tree.ts"

/** How many hashes a full tile has: a subtree of 8 levels, as C2SP's tlog-tiles has it. */
export const TILE_HASHES = 256
const TILE_LEVELS = 8

/** Where a tile stands. Level 0 has the hashes of leaves, level 1 the roots of full tiles of level 0, and so on. */
export interface TilePlace {
  readonly level: number
  readonly tile: number
}

/** A tile with its hashes, one after another: 32 to 8,192 bytes. Only the last tile of a level has fewer than 256. */
export interface Tile extends TilePlace {
  readonly hashes: Uint8Array
}

/** The tiles that grow when leaves are appended to a tree of `size` leaves: the last of each level that is not full. */
export function edgePlaces(size: number): readonly TilePlace[] {
  const places: TilePlace[] = []
  for (let [level, count] = [0, size]; count > 0; level += 1, count = Math.floor(count / TILE_HASHES)) {
    if (count % TILE_HASHES !== 0) places.push({ level, tile: Math.floor(count / TILE_HASHES) })
  }
  return places
}

/**
 * Appends leaves to a tree of `size` leaves.
 * @param edge the tiles of `edgePlaces(size)`
 * @returns the tiles that are new or have grown
 * @throws {RangeError} when a tile of the edge is missing or has another length
 */
export function appendLeaves(
  size: number,
  edge: readonly Tile[],
  leaves: readonly Hash[],
  sha256: Sha256,
): readonly Tile[] {
  const changed: Tile[] = []
  let added = leaves
  for (let [level, count] = [0, size]; added.length > 0; level += 1, count = Math.floor(count / TILE_HASHES)) {
    const partial = count % TILE_HASHES
    const known = edge.find((tile) => tile.level === level)?.hashes ?? new Uint8Array()
    if (known.length !== partial * 32) throw new RangeError(`the tree's edge at level ${level} is not whole`)
    const all = new Uint8Array((partial + added.length) * 32)
    all.set(known)
    for (const [at, hash] of added.entries()) all.set(hash, (partial + at) * 32)
    const roots: Hash[] = []
    for (let at = 0; at < all.length; at += TILE_HASHES * 32) {
      const hashes = all.slice(at, at + TILE_HASHES * 32)
      changed.push({ level, tile: Math.floor(count / TILE_HASHES) + at / (TILE_HASHES * 32), hashes })
      if (hashes.length === TILE_HASHES * 32) roots.push(folded(hashes, sha256))
    }
    added = roots
  }
  return changed
}

/** The tiles that contain the roots of these subtrees, each once. */
export function placesOf(ranges: readonly LeafRange[]): readonly TilePlace[] {
  const places = new Map<string, TilePlace>()
  for (const range of ranges) {
    for (const subtree of completeSubtrees(range)) {
      const { level, tile } = spotOf(subtree)
      places.set(`${level}/${tile}`, { level, tile })
    }
  }
  return [...places.values()]
}

/**
 * The root of a subtree, from the tiles of `placesOf`.
 * @throws {RangeError} when a tile is missing or too short
 */
export function rootOfRange(range: LeafRange, tiles: readonly Tile[], sha256: Sha256): Hash {
  const hashes = completeSubtrees(range).map((subtree) => {
    const { level, tile, from, count } = spotOf(subtree)
    const found = tiles.find((one) => one.level === level && one.tile === tile)
    const part = found?.hashes.subarray(from * 32, (from + count) * 32)
    if (part?.length !== count * 32) throw new RangeError(`tile ${tile} of level ${level} is missing or too short`)
    return folded(part, sha256)
  })
  return joined(hashes, sha256)
}

/** The hashes of a tile under the root of a complete subtree. */
function spotOf({ level, index }: { readonly level: number; readonly index: number }) {
  const count = 2 ** (level % TILE_LEVELS)
  const first = index * count
  return {
    level: Math.floor(level / TILE_LEVELS),
    tile: Math.floor(first / TILE_HASHES),
    from: first % TILE_HASHES,
    count,
  }
}

/** The root over a power of two of hashes. */
function folded(hashes: Uint8Array, sha256: Sha256): Hash {
  let level = Array.from({ length: hashes.length / 32 }, (_, at) => hashes.slice(at * 32, at * 32 + 32))
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, at) =>
      Uint8Array.from(nodeHash(level[2 * at] as Hash, level[2 * at + 1] as Hash, sha256)),
    )
  }
  return level[0] as Hash
}
