import { decodeBase64, encodeBase64 } from "./base64.ts"
import { edgePlaces, TILE_HASHES, type Tile } from "./tiles.ts"

/**
 * The edge of a tree of `size` leaves as text: of each level, the hashes of its last tile that is not full, in base64. With it
 * a tree grows on, and gives its root and every proof about later leaves, without a leaf of those before: about 11 kB for a
 * million of them.
 *
 * @param tiles those of `edgePlaces(size)`, of a tree that may have grown since
 * @throws {RangeError} when one of them is missing or too short
 */
export function formatEdge(size: number, tiles: readonly Tile[]): string {
  const levels: string[] = []
  for (const { level, tile } of edgePlaces(size)) {
    const bytes = bytesAt(size, level)
    const hashes = tiles.find((one) => one.level === level && one.tile === tile)?.hashes.subarray(0, bytes)
    if (hashes?.length !== bytes) throw new RangeError(`tile ${tile} of level ${level} is missing or too short`)
    levels[level] = encodeBase64(hashes)
  }
  return JSON.stringify(Array.from(levels, (level) => level ?? ""))
}

/** The tiles of an edge; null for a text that is not the edge of a tree of `size` leaves. */
export function parseEdge(size: number, text: string): readonly Tile[] | null {
  let levels: unknown
  try {
    levels = JSON.parse(text)
  } catch {
    return null
  }
  if (!Array.isArray(levels)) return null
  const tiles: Tile[] = []
  for (const place of edgePlaces(size)) {
    const level: unknown = levels[place.level]
    const hashes = typeof level === "string" ? decodeBase64(level) : null
    if (hashes?.length !== bytesAt(size, place.level)) return null
    tiles.push({ ...place, hashes })
  }
  return tiles
}

/** How many bytes the last tile of a level has. */
const bytesAt = (size: number, level: number): number => (Math.floor(size / TILE_HASHES ** level) % TILE_HASHES) * 32
