import { isUtf8 } from "node:buffer"

/** Parses JSON in UTF-8; undefined for anything else. Never throws: the parser's message would quote the text. */
export function parseJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) return undefined
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"))
  } catch {
    return undefined
  }
}

/** An own member of an object; undefined when it is absent, or when `value` is not an object. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}

/** The own members of an object; null for an array and anything else. */
export function membersOf(value: unknown): readonly [string, unknown][] | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : null
}
