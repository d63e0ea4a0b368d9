import type { Sha256 } from "../audit-chain.ts"
import { emptyRoot, type Hash, type LeafRange, nodeHash, splitOf } from "./tree.ts"

/**
 * The subtrees whose roots prove that leaf `index` is in a tree of `size` leaves, the leaf's neighbour first (RFC 6962 section
 * 2.1.1). `index` is below `size`.
 */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  const ranges: LeafRange[] = []
  let [from, to] = [0, size]
  while (to - from > 1) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      ranges.push({ from: middle, to })
      to = middle
    } else {
      ranges.push({ from, to: middle })
      from = middle
    }
  }
  return ranges.reverse()
}

/**
 * The subtrees whose roots prove that a tree of `size` leaves begins with the tree of `old` leaves (RFC 6962 section 2.1.2).
 * `old` is at most `size`. None when they are equal, or `old` is 0.
 */
export function consistencyRanges(old: number, size: number): readonly LeafRange[] {
  if (old === 0) return []
  const ranges: LeafRange[] = []
  let [from, to] = [0, size]
  while (to !== old) {
    const middle = from + splitOf(to - from)
    if (old <= middle) {
      ranges.push({ from: middle, to })
      to = middle
    } else {
      ranges.push({ from, to: middle })
      from = middle
    }
  }
  // At the left edge, the subtree is the whole old tree, whose root the verifier has.
  if (from !== 0) ranges.push({ from, to })
  return ranges.reverse()
}

/** The root that a tree of `size` leaves has if `leaf` is at `index` and the proof is right; null for an impossible proof. */
export function rootOfInclusion(
  { index, size }: { readonly index: number; readonly size: number },
  leaf: Hash,
  proof: readonly Hash[],
  sha256: Sha256,
): Hash | null {
  if (!isSize(size) || !isSize(index) || index >= size) return null
  const ranges = inclusionRanges(index, size)
  if (ranges.length !== proof.length) return null
  let root = leaf
  for (const [at, hash] of proof.entries()) {
    const isRight = (ranges[at] as LeafRange).from > index
    root = isRight ? nodeHash(root, hash, sha256) : nodeHash(hash, root, sha256)
  }
  return root
}

/** A tree at one time. */
export interface TreeHead {
  readonly size: number
  readonly root: Hash
}

/** Whether the proof shows that the tree `head` begins with the tree `old`. Never throws. */
export function isConsistent(old: TreeHead, head: TreeHead, proof: readonly Hash[], sha256: Sha256): boolean {
  if (!isSize(old.size) || !isSize(head.size) || old.size > head.size) return false
  if (old.size === 0) return proof.length === 0 && sameHash(old.root, emptyRoot(sha256))
  const ranges = consistencyRanges(old.size, head.size)
  if (ranges.length !== proof.length) return false
  // The first subtree is common to both. At the left edge it is the old tree itself, and the proof leaves it out.
  const isWhole = ranges[0] === undefined || ranges[0].from >= old.size
  const first = isWhole ? old.root : (proof[0] as Hash)
  let [before, now] = [first, first]
  for (let at = isWhole ? 0 : 1; at < proof.length; at += 1) {
    const hash = proof[at] as Hash
    if ((ranges[at] as LeafRange).from >= old.size) {
      now = nodeHash(now, hash, sha256)
    } else {
      before = nodeHash(hash, before, sha256)
      now = nodeHash(hash, now, sha256)
    }
  }
  return sameHash(before, old.root) && sameHash(now, head.root)
}

export function sameHash(one: Hash, other: Hash): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}

const isSize = (size: number) => Number.isSafeInteger(size) && size >= 0
