import { fail, ok, type Result } from "./result.ts"

/** Nothing that is recorded nests deeper; a bound, so that no input exhausts the stack. */
const MAX_DEPTH = 32

/** Why a value has no canonical text. Says what kind of value, never the value. */
export type CanonicalFault =
  | "a lone surrogate"
  | "not a safe integer"
  | "nested too deeply"
  | "not a plain object"
  | "not a string, a safe integer, null, an array or an object"

/**
 * Writes a value in its one canonical text: RFC 8785 for strings, safe integers, null, arrays and plain objects.
 *
 * Anything else is refused rather than guessed at. Fractions, booleans, -0, `undefined` and lone surrogates are values that
 * two implementations write differently or not at all, and a hash over such a text proves nothing to the second one.
 */
export function canonicalJson(value: unknown): Result<string, CanonicalFault> {
  try {
    return ok(write(value, 0))
  } catch (error) {
    if (error instanceof Refusal) return fail(error.fault)
    throw error
  }
}

/** Ends the writing at the first value that has no canonical text. */
class Refusal extends Error {
  readonly fault: CanonicalFault

  constructor(fault: CanonicalFault) {
    super(fault)
    this.fault = fault
  }
}

function write(value: unknown, depth: number): string {
  if (typeof value === "string") return writeString(value)
  if (value === null) return "null"
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)
    throw new Refusal("not a safe integer")
  }
  if (typeof value !== "object") throw new Refusal("not a string, a safe integer, null, an array or an object")
  if (depth === MAX_DEPTH) throw new Refusal("nested too deeply")
  return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth)
}

function writeArray(members: readonly unknown[], depth: number): string {
  let text = ""
  // for-of, not map: a hole must be refused, not skipped.
  for (const member of members) text += (text && ",") + write(member, depth + 1)
  return `[${text}]`
}

function writeObject(value: object, depth: number): string {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw new Refusal("not a plain object")
  let text = ""
  // The default order of sort() is by UTF-16 code units, which is the order that RFC 8785 section 3.2.3 asks for.
  for (const name of Object.keys(value).sort()) {
    const member = write((value as Record<string, unknown>)[name], depth + 1)
    text += `${text && ","}${writeString(name)}:${member}`
  }
  return `{${text}}`
}

/** Printable ASCII without the quote and the backslash: nearly all that is recorded, and written as it is. */
const PLAIN = /^[ !#-[\]-~]*$/

/** `JSON.stringify` escapes a string exactly as RFC 8785 section 3.2.2.2 does, lone surrogates aside. */
function writeString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  if (text.isWellFormed()) return JSON.stringify(text)
  throw new Refusal("a lone surrogate")
}
