import { sha256 } from "@noble/hashes/sha2.js"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeBase64, encodeBase64 } from "../../../broker/core/checkpoint/base64.ts"
import { formatEdge, parseEdge } from "../../../broker/core/checkpoint/edge.ts"
import {
  consistencyRanges,
  inclusionRanges,
  isConsistent,
  rootOfInclusion,
  sameHash,
} from "../../../broker/core/checkpoint/proofs.ts"
import {
  appendLeaves,
  edgePlaces,
  placesOf,
  rootOfRange,
  type Tile,
  type TilePlace,
} from "../../../broker/core/checkpoint/tiles.ts"
import { CompactTree, emptyRoot, type Hash, leafHash, nodeHash } from "../../../broker/core/checkpoint/tree.ts"
import vectors from "../../vectors/checkpoint.json" with { type: "json" }

const LEAVES = Array.from({ length: 600 }, (_, at) => leafHash(new TextEncoder().encode(`record ${at}`), sha256))
const hashOf = (text: string): Hash => decodeBase64(text) as Hash

/** A tree that keeps its tiles in memory, as a store does. */
class Tiles {
  readonly #tiles = new Map<string, Tile>()
  size = 0

  static from(size: number, tiles: readonly Tile[]): Tiles {
    const tree = new Tiles()
    for (const tile of tiles) tree.#tiles.set(`${tile.level}/${tile.tile}`, tile)
    tree.size = size
    return tree
  }

  readonly tile = ({ level, tile }: TilePlace): Tile => this.#tiles.get(`${level}/${tile}`) as Tile

  grow(leaves: readonly Hash[]): this {
    const edge = edgePlaces(this.size).map(({ level, tile }) => this.#tiles.get(`${level}/${tile}`) as Tile)
    for (const tile of appendLeaves(this.size, edge, leaves, sha256))
      this.#tiles.set(`${tile.level}/${tile.tile}`, tile)
    this.size += leaves.length
    return this
  }

  root(from: number, to: number): Hash {
    const range = { from, to }
    const tiles = placesOf([range]).map(({ level, tile }) => this.#tiles.get(`${level}/${tile}`) as Tile)
    return rootOfRange(range, tiles, sha256)
  }
}

/** RFC 6962's definition, word for word. */
function definition(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return emptyRoot(sha256)
  if (leaves.length === 1) return leaves[0] as Hash
  let half = 1
  while (half * 2 < leaves.length) half *= 2
  return nodeHash(definition(leaves.slice(0, half)), definition(leaves.slice(half)), sha256)
}

const TREE = new Tiles().grow(LEAVES)

describe("a tree", () => {
  it.each(Object.entries(vectors.roots))("of %s leaves has the root that Go's sumdb gives it", (size, root) => {
    const compact = new CompactTree(sha256)
    for (const leaf of LEAVES.slice(0, Number(size))) compact.append(leaf)
    expect(encodeBase64(compact.root())).toBe(root)
    expect(encodeBase64(TREE.root(0, Number(size)))).toBe(root)
  })

  it("is the same by the definition, appended leaf by leaf and in batches of any size", () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(cuts, (batches) => {
        const tree = new Tiles()
        for (const batch of batches) tree.grow(LEAVES.slice(tree.size, tree.size + batch))
        const compact = new CompactTree(sha256)
        for (const leaf of LEAVES.slice(0, tree.size)) compact.append(leaf)
        expect(tree.root(0, tree.size)).toEqual(definition(LEAVES.slice(0, tree.size)))
        expect(compact.root()).toEqual(tree.root(0, tree.size))
      }),
    )
  })

  // A tile of the second level has 65,536 leaves: ten seconds of hashing in workerd, where no other code runs than here.
  const levels = navigator.userAgent === "Cloudflare-Workers" ? [256, 512] : [256, 512, 65_536, 66_048]

  it("grows on from its edge as text, with the same roots and the same proofs of later leaves", () => {
    const many = Array.from({ length: Math.max(...levels) + 352 }, (_, at) => LEAVES[at % LEAVES.length] as Hash)
    const whole = new Tiles().grow(many)
    for (const size of levels) {
      const edge = formatEdge(size, edgePlaces(size).map(whole.tile))
      expect(edge.length).toBeLessThan(12_000)
      const late = Tiles.from(size, parseEdge(size, edge) ?? []).grow(many.slice(size, size + 300))
      expect(late.root(0, size + 300)).toEqual(whole.root(0, size + 300))
      for (const index of [size, size + 255, size + 299]) {
        const proof = inclusionRanges(index, size + 300).map(({ from, to }) => late.root(from, to))
        expect(rootOfInclusion({ index, size: size + 300 }, many[index] as Hash, proof, sha256)).toEqual(
          whole.root(0, size + 300),
        )
      }
      for (const other of ["", "[]", "{}", edge.slice(1), '["AAAA"]']) expect(parseEdge(size, other)).toBeNull()
      expect(parseEdge(size + 1, edge)).toBeNull()
      expect(() => formatEdge(size, [])).toThrow(RangeError)
    }
  })

  it("does not grow over an edge that is not its own", () => {
    expect(() => appendLeaves(3, [], [LEAVES[3] as Hash], sha256)).toThrow(RangeError)
    expect(() => rootOfRange({ from: 0, to: 4 }, [], sha256)).toThrow(RangeError)
  })
})

describe("a proof of inclusion", () => {
  it.each(vectors.inclusion)("of leaf $index in $size is what Go's sumdb makes", ({ size, index, proof }) => {
    expect(inclusionRanges(index, size).map(({ from, to }) => encodeBase64(TREE.root(from, to)))).toEqual(proof)
    const root = rootOfInclusion({ index, size }, LEAVES[index] as Hash, proof.map(hashOf), sha256)
    expect(root).toEqual(TREE.root(0, size))
  })

  it("gives the root for its own leaf and place alone", () => {
    const place = fc.integer({ min: 1, max: 600 }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)))
    fc.assert(
      fc.property(place, fc.nat(599), fc.nat(9), fc.nat(31), ([size, index], other, line, byte) => {
        const proof = inclusionRanges(index, size).map(({ from, to }) => TREE.root(from, to))
        const leaf = LEAVES[index] as Hash
        const rootOf = (at: { index: number; size: number }, hash: Hash, hashes: readonly Hash[]) =>
          rootOfInclusion(at, hash, hashes, sha256)
        const root = TREE.root(0, size)
        expect(rootOf({ index, size }, leaf, proof)).toEqual(root)
        if (other !== index) {
          expect(rootOf({ index, size }, LEAVES[other] as Hash, proof)).not.toEqual(root)
          expect(rootOf({ index: other, size }, leaf, proof)).not.toEqual(root)
        }
        expect(rootOf({ index, size }, leaf, [...proof, leaf])).toBeNull()
        if (proof.length > 0) {
          expect(rootOf({ index, size }, leaf, proof.slice(1))).toBeNull()
          const changed = proof.map((hash) => hash.slice())
          const hash = changed[line % proof.length] as Hash
          hash[byte] = (hash[byte] as number) ^ 1
          expect(rootOf({ index, size }, leaf, changed)).not.toEqual(root)
        }
      }),
    )
    for (const [index, size] of [
      [0, 0],
      [-1, 4],
      [4, 4],
      [0.5, 4],
      [0, Number.NaN],
      [1, 2 ** 60],
    ] as const) {
      expect(rootOfInclusion({ index, size }, LEAVES[0] as Hash, [], sha256)).toBeNull()
    }
  })
})

describe("a proof of consistency", () => {
  it.each(vectors.consistency)("from $old to $size is what Go's sumdb makes", ({ size, old, proof }) => {
    expect(consistencyRanges(old, size).map(({ from, to }) => encodeBase64(TREE.root(from, to)))).toEqual(proof)
    const [before, now] = [old, size].map((count) => ({ size: count, root: TREE.root(0, count) }))
    expect(isConsistent(before as never, now as never, proof.map(hashOf), sha256)).toBe(true)
  })

  it("holds between a tree and its own beginnings alone", () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 600 }))
    fc.assert(
      fc.property(sizes, fc.nat(9), fc.nat(31), ([one, two], line, byte) => {
        const [old, size] = one < two ? [one, two] : [two, one]
        const proof = consistencyRanges(old, size).map(({ from, to }) => TREE.root(from, to))
        const before = { size: old, root: TREE.root(0, old) }
        const now = { size, root: TREE.root(0, size) }
        expect(isConsistent(before, now, proof, sha256)).toBe(true)
        // Another leaf in the past, with all that follows hashed anew.
        const forked = new Tiles().grow([
          ...LEAVES.slice(0, old - 1),
          leafHash(Uint8Array.of(1), sha256),
          ...LEAVES.slice(old),
        ])
        const fork = { size, root: forked.root(0, size) }
        const forkProof = consistencyRanges(old, size).map(({ from, to }) => forked.root(from, to))
        expect(isConsistent(before, fork, forkProof, sha256)).toBe(false)
        expect(isConsistent(before, fork, proof, sha256)).toBe(false)
        expect(isConsistent(before, now, [...proof, now.root], sha256)).toBe(false)
        if (old < size) expect(isConsistent(now, before, proof, sha256)).toBe(false)
        if (proof.length > 0) {
          expect(isConsistent(before, now, proof.slice(1), sha256)).toBe(false)
          const changed = proof.map((hash) => hash.slice())
          const hash = changed[line % proof.length] as Hash
          hash[byte] = (hash[byte] as number) ^ 1
          expect(isConsistent(before, now, changed, sha256)).toBe(false)
        }
      }),
    )
  })

  it("starts from the empty tree without a line, and from no other root", () => {
    const now = { size: 7, root: TREE.root(0, 7) }
    expect(isConsistent({ size: 0, root: emptyRoot(sha256) }, now, [], sha256)).toBe(true)
    expect(isConsistent({ size: 0, root: now.root }, now, [], sha256)).toBe(false)
    expect(isConsistent({ size: -1, root: now.root }, now, [], sha256)).toBe(false)
    expect(sameHash(now.root, now.root.subarray(1))).toBe(false)
  })
})
