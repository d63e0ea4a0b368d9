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
  try {
    return ok(write(value, 0))
  } catch (error) {
    if (error instanceof Refusal) return fail(error.fault)
    throw error
  }
}

/** Ends the recursion. It is always caught in this file. */
class Refusal extends Error {
  readonly fault: CanonicalFault

  constructor(fault: CanonicalFault) {
    super(fault)
    this.fault = fault
  }
}

// Texts are joined with +, which is faster here than lists of parts: an audit record is written in every exchange.
function write(value: unknown, depth: number): string {
  if (value === null) return "null"
  if (typeof value === "string") return writeString(value)
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)
    throw new Refusal("not a safe integer")
  }
  if (typeof value !== "object") throw new Refusal("not a string, a safe integer, null, an array or an object")
  if (depth === MAX_DEPTH) throw new Refusal("nested too deeply")
  let text = ""
  if (Array.isArray(value)) {
    // An iterator, unlike map, does not skip holes: they are refused.
    for (const member of value) text += `${text === "" ? "" : ","}${write(member, depth + 1)}`
    return `[${text}]`
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw new Refusal("not a plain object")
  // The default order of sort() is by UTF-16 code units, which is the order that RFC 8785 section 3.2.3 asks for.
  for (const name of Object.keys(value).sort()) {
    const member = write((value as Record<string, unknown>)[name], depth + 1)
    text += `${text === "" ? "" : ","}${writeString(name)}:${member}`
  }
  return `{${text}}`
}

/** Printable ASCII without quotes and backslashes, which needs no escapes. */
const PLAIN = /^[ !#-[\]-~]*$/

/** `JSON.stringify` escapes a string exactly as RFC 8785 section 3.2.2.2 does, except for lone surrogates. */
function writeString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw new Refusal("a lone surrogate")
  return JSON.stringify(text)
}
