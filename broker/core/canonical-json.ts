import { fail, ok, type Result } from "./result.ts"

/** Deeper than any record. A bound, so that no input can exhaust the stack. */
const MAX_DEPTH = 32

/** Why a value has no canonical text. Names the kind of value, never the value itself. */
export type CanonicalFault =
  | "a lone surrogate"
  | "not a safe integer"
  | "nested too deeply"
  | "not a plain object"
  | "not a string, a safe integer, null, an array or an object"

/**
 * Writes a value as its only canonical text: RFC 8785 for strings, safe integers, null, arrays and plain objects.
 *
 * Refuses every other value. Two implementations write fractions, booleans, -0, `undefined` and lone surrogates
 * differently or not at all, so one of them could not verify a hash that the other made.
 */
export function canonicalJson(value: unknown): Result<string, CanonicalFault> {
  const fault: { first: CanonicalFault | null } = { first: null }
  const text = write(value, 0, (found) => {
    fault.first ??= found
    return ""
  })
  return fault.first === null ? ok(text) : fail(fault.first)
}

function write(value: unknown, depth: number, refuse: (fault: CanonicalFault) => string): string {
  if (value === null) return "null"
  if (typeof value === "string") return writeString(value, refuse)
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : refuse("not a safe integer")
  }
  if (typeof value !== "object") return refuse("not a string, a safe integer, null, an array or an object")
  if (depth === MAX_DEPTH) return refuse("nested too deeply")
  if (Array.isArray(value)) {
    // Array.from, not map: a hole must be refused, not skipped.
    return `[${Array.from(value, (member) => write(member, depth + 1, refuse)).join(",")}]`
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return refuse("not a plain object")
  // The default order of sort() is by UTF-16 code units, which is the order that RFC 8785 section 3.2.3 asks for.
  const names = Object.keys(value).sort()
  const members = names.map(
    (name) => `${writeString(name, refuse)}:${write((value as Record<string, unknown>)[name], depth + 1, refuse)}`,
  )
  return `{${members.join(",")}}`
}

/** `JSON.stringify` escapes a string exactly as RFC 8785 section 3.2.2.2 does, except for lone surrogates. */
function writeString(text: string, refuse: (fault: CanonicalFault) => string): string {
  return text.isWellFormed() ? JSON.stringify(text) : refuse("a lone surrogate")
}
