import type { Sha256 } from "../audit-chain.ts"

/** A hash of a tree: 32 bytes. */
export type Hash = Uint8Array

/** Leaves `from` (included) to `to` (excluded) of a tree, 0-based. */
export interface LeafRange {
  readonly from: number
  readonly to: number
}

/** The root of the tree without leaves. */
export const emptyRoot = (sha256: Sha256): Hash => sha256(new Uint8Array())

/** The hash of a leaf with this content (RFC 6962 section 2.1). A record's `leaf` is this hash of its canonical text. */
export function leafHash(content: Uint8Array, sha256: Sha256): Hash {
  const input = new Uint8Array(1 + content.length)
  input.set(content, 1)
  return sha256(input)
}

/**
 * The hash of an interior node (RFC 6962 section 2.1). A step of the audit chain has the same byte form. So a chain value is
 * never taken where a hash of a tree is expected: whoever chose the record would choose a part of the tree.
 */
export function nodeHash(left: Hash, right: Hash, sha256: Sha256): Hash {
  const input = new Uint8Array(65)
  input[0] = 0x01
  input.set(left, 1)
  input.set(right, 33)
  return sha256(input)
}

/** The largest power of two below `count`, where RFC 6962 splits a tree of so many leaves; `count` is at least 2. */
export function splitOf(count: number): number {
  // No shifts: they have 32 bits, and a size has up to 53.
  let half = 1
  while (half * 2 < count) half *= 2
  return half
}

/**
 * A range that is a subtree of RFC 6962, as complete subtrees from left to right: their heights and positions. Its root is
 * their hashes, joined from the right.
 */
export function completeSubtrees({
  from,
  to,
}: LeafRange): readonly { readonly level: number; readonly index: number }[] {
  const subtrees: { level: number; index: number }[] = []
  let at = from
  while (at < to) {
    let [level, leaves] = [0, 1]
    while (leaves * 2 <= to - at && at % (leaves * 2) === 0) [level, leaves] = [level + 1, leaves * 2]
    subtrees.push({ level, index: at / leaves })
    at += leaves
  }
  return subtrees
}

/** The root over the hashes of complete subtrees in the order of `completeSubtrees`. */
export function joined(hashes: readonly Hash[], sha256: Sha256): Hash {
  if (hashes.length === 0) return emptyRoot(sha256)
  return hashes.reduceRight((right, left) => nodeHash(left, right, sha256))
}

/** The growing tree of a reader that needs its root alone: the hashes of its complete subtrees, at most 53. */
export class CompactTree {
  readonly #sha256: Sha256
  readonly #hashes: Hash[] = []
  size = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  append(leaf: Hash): void {
    let hash = leaf
    // Each complete pair becomes one: as many as the old size has ones at its end.
    for (let rest = this.size; rest % 2 === 1; rest = (rest - 1) / 2) {
      hash = nodeHash(this.#hashes.pop() as Hash, hash, this.#sha256)
    }
    this.#hashes.push(hash)
    this.size += 1
  }

  root(): Hash {
    return joined(this.#hashes, this.#sha256)
  }
}
