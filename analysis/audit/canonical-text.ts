import { canonicalJson } from "../../broker/core/canonical-json.ts"

/** `canonicalJson` decides deeper values. It has its own limit. */
const MAX_DEPTH = 16

/**
 * Whether a text is the canonical text of the value that it was parsed to. Compared byte for byte: otherwise an added space,
 * or an escape for a letter, would be an edit without a fault.
 *
 * `JSON.stringify` writes a value canonically if every map has its names in order and every number is a safe integer, and
 * is three times faster than writing it ourselves. A yes of it is checked by these rules; everything else is decided by
 * `canonicalJson`.
 */
export function isCanonicalText(text: string, value: unknown): boolean {
  // A lone surrogate is written as such an escape, and is not canonical.
  if (isInOrder(value, 0) && !text.includes("\\ud") && JSON.stringify(value) === text) return true
  const canonical = canonicalJson(value)
  return canonical.ok && canonical.value === text
}

function isInOrder(value: unknown, depth: number): boolean {
  if (typeof value === "string" || value === null) return true
  if (typeof value === "number") return Number.isSafeInteger(value)
  if (typeof value !== "object" || depth === MAX_DEPTH) return false
  if (Array.isArray(value)) return value.every((member) => isInOrder(member, depth + 1))
  let before: string | null = null
  // As `JSON.stringify` does: own names, those that look like indices first.
  for (const name of Object.keys(value)) {
    if (before !== null && before >= name) return false
    if (!isInOrder((value as Record<string, unknown>)[name], depth + 1)) return false
    before = name
  }
  return true
}
