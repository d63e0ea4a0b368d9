import { sha256 } from "@noble/hashes/sha2.js"
import { expect, it } from "vitest"
import { CompactTree, type Hash, leafHash } from "../../broker/core/checkpoint/tree.ts"
import { Trees } from "../../broker/operate/trees.ts"
import type { TreeStore } from "../../broker/ports/tree-store.ts"

const LEAVES = Array.from({ length: 700 }, (_, at) => leafHash(new TextEncoder().encode(`record ${at}`), sha256))
const keyOf = (unitId: string) => ({ issuerUrl: "https://issuer.example", unitId })
const ROOT = "ab".repeat(32)

function rootOf(leaves: readonly Hash[]): Hash {
  const tree = new CompactTree(sha256)
  for (const leaf of leaves) tree.append(leaf)
  return tree.root()
}

/** Holds for every store of trees. */
export function treeStoreContract(where: string, storeOf: () => TreeStore): void {
  const grow = async (unitId: string, from: number, to: number) => {
    const tiles = await new Trees(storeOf(), sha256).tilesWith(keyOf(unitId), from, LEAVES.slice(from, to))
    return await storeOf().grow(keyOf(unitId), from, to, tiles)
  }

  it(`a tree ${where} grows over tiles, and keeps the root of every size`, async () => {
    const sizes = [0, 1, 3, 255, 256, 257, 512, 700]
    for (const [at, to] of sizes.slice(1).entries()) expect(await grow("a", sizes[at] ?? 0, to)).toBe(true)
    const trees = new Trees(storeOf(), sha256)
    for (const size of sizes) expect(await trees.root(keyOf("a"), size)).toEqual(rootOf(LEAVES.slice(0, size)))
    await expect(trees.root(keyOf("a"), 701)).rejects.toMatchObject({ code: "ledger_unavailable" })
    await expect(trees.root(keyOf("unknown"), 1)).rejects.toMatchObject({ code: "ledger_unavailable" })
  })

  it(`a tree ${where} grows from its own size alone, whoever else is at work`, async () => {
    const tiles = await new Trees(storeOf(), sha256).tilesWith(keyOf("b"), 0, LEAVES.slice(0, 10))
    const grown = await Promise.all(Array.from({ length: 5 }, () => storeOf().grow(keyOf("b"), 0, 10, tiles)))
    expect(grown.filter(Boolean)).toHaveLength(1)
    expect([await storeOf().size(keyOf("b")), await storeOf().grow(keyOf("b"), 9, 12, [])]).toEqual([10, false])
  })

  it(`the heads of a log ${where} are found as long as a checkpoint that is given away needs them`, async () => {
    const store = storeOf()
    const log = "daypass.example/log/1"
    const trees = new Trees(store, sha256)
    const append = async (from: number, published: number, sizes: Readonly<Record<string, number>>) => {
      const heads = Object.entries(sizes).map(([unitId, size]) => ({ ...keyOf(unitId), size, root: ROOT }))
      const leaves = heads.map((_, at) => LEAVES[from + at] as Hash)
      return await store.append(log, { from, published }, heads, await trees.tilesWith({ log }, from, leaves))
    }
    await grow("c", 0, 2)
    await grow("d", 0, 3)
    const isOurs = ({ unitId }: { readonly unitId: string }) => unitId === "c" || unitId === "d"
    const grown = async () => (await store.grown(log, 100)).filter(isOurs)
    expect(await grown()).toEqual([
      { ...keyOf("c"), size: 2 },
      { ...keyOf("d"), size: 3 },
    ])
    expect(await store.grown(log, 1)).toHaveLength(1)

    expect(await append(0, 0, { c: 2, d: 3 })).toBe(true)
    expect(await append(0, 0, { c: 2 })).toBe(false)
    expect([await store.size({ log }), await grown()]).toEqual([2, []])
    await grow("c", 2, 5)
    expect(await grown()).toEqual([{ ...keyOf("c"), size: 5 }])
    expect(await append(2, 2, { c: 5 })).toBe(true)
    await grow("c", 5, 6)
    expect(await append(3, 2, { c: 6 })).toBe(true)
    // The checkpoint of 2 heads is still given away.
    expect(await store.head(log, keyOf("c"), 2)).toEqual({ index: 0, size: 2, root: ROOT })
    expect(await store.head(log, keyOf("c"), 4)).toEqual({ index: 3, size: 6, root: ROOT })
    await grow("c", 6, 7)
    // Now the one of 4 heads is.
    expect(await append(4, 4, { c: 7 })).toBe(true)
    expect(await store.head(log, keyOf("c"), 2)).toBeNull()
    expect(await store.head(log, keyOf("c"), 4)).toEqual({ index: 3, size: 6, root: ROOT })
    expect(await store.head(log, keyOf("d"), 2)).toEqual({ index: 1, size: 3, root: ROOT })
    expect([await store.head("another", keyOf("c"), 9), await store.head(log, keyOf("e"), 9)]).toEqual([null, null])

    await store.forget(keyOf("c"))
    expect([await store.size(keyOf("c")), await store.head(log, keyOf("c"), 9), await grown()]).toEqual([0, null, []])
    await grow("c", 0, 7)
    expect(await grown()).toEqual([{ ...keyOf("c"), size: 7 }])
  })
}
