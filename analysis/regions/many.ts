import { ok, type Result } from "../../broker/core/result.ts"
import type { Atom } from "./atoms.ts"
import { type TooComplex, tooComplex } from "./too-complex.ts"

/** The most values of one claim with several members. */
const MAX_VALUES = 512

/** What no pattern matches and no `not` of an `allow` passes: an object, a fraction, a list in a list. */
const INCOMPARABLE = "{}"

/**
 * The values of a claim with several members, in JSON: a list matches a pattern if a member does, so one list for each
 * combination of patterns that its members can match together. The shortest lists come first. One text is treated as the
 * list with this text.
 */
export function manyOf(
  atoms: readonly Atom[],
  shape: "list" | "object" | "any",
): Result<readonly string[], TooComplex> {
  if (shape === "object") return ok([INCOMPARABLE])
  const found = new Map<string, List>()
  let front: readonly List[] = atoms.map(({ members, witness }) => ({ members, texts: [witness] }))
  while (front.length > 0) {
    const added: List[] = []
    for (const list of front) {
      const key = list.members.join()
      if (found.has(key)) continue
      found.set(key, list)
      added.push(list)
    }
    if (found.size > MAX_VALUES) return tooComplex("a list can match these patterns in too many combinations")
    front = added.flatMap(({ members, texts }) =>
      atoms.map((atom) => ({ members: unionOf(members, atom.members), texts: [...texts, atom.witness] })),
    )
  }
  const lists = [...found.values()].map(({ texts }) => JSON.stringify(texts))
  return ok([...lists, "[]", ...(shape === "any" ? [INCOMPARABLE] : [])])
}

interface List {
  /** Indices of the languages that at least one of its texts belongs to, in rising order. */
  readonly members: readonly number[]
  readonly texts: readonly string[]
}

const unionOf = (one: readonly number[], other: readonly number[]): readonly number[] =>
  [...new Set([...one, ...other])].sort((a, b) => a - b)
