import { memberOf } from "../core/policy/plain.ts"
import { Secret } from "../core/secret.ts"
import type { OtherSide } from "./call.ts"
import { secretNotFound, secretUnusable } from "./stored-value.ts"

/** A locator cut at its last `#`: where, and which field of what stands there; null for the whole of it. */
export function splitField(locator: string): { readonly place: string; readonly field: string | null } {
  const at = locator.lastIndexOf("#")
  return at < 0 ? { place: locator, field: null } : { place: locator.slice(0, at), field: locator.slice(at + 1) }
}

/** Whether a URL stands where a locator is meant. */
export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text)

/** Why a field cannot be one; null when it can. The end of a sentence that begins with the locator. */
export const fieldFault = (field: string | null): string | null =>
  field === "" ? "ends with # and names no field behind it" : null

/** A number of a JSON text, as the text writes it. */
class WrittenNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/**
 * One field of a JSON object that a store keeps as text: a text as it is, a number as it is written there, to the last digit,
 * a flag as `true` or `false`.
 *
 * @throws {BrokerError} `secret_unusable` for a text that is no JSON object, or a field that holds no single value;
 *   `secret_not_found` for a field that is not there
 */
export function fieldOfJson(side: OtherSide, locator: string, field: string, json: Secret<string>): Secret<string> {
  let parsed: unknown
  try {
    parsed = JSON.parse(json.reveal(), asWritten)
  } catch {
    throw secretUnusable(side, locator, "picks a field, and what the store has there is no JSON")
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed) || parsed instanceof WrittenNumber)
    throw secretUnusable(side, locator, "picks a field, and what the store has there is no JSON object")
  return fieldOf(side, locator, field, parsed)
}

/** Keeps a number's text: 12345678901234567890 is no number of JavaScript's, and 1.10 would become 1.1. */
const asWritten = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" && context?.source !== undefined ? new WrittenNumber(context.source) : value

/**
 * One field of a map that a store keeps as such. Of its numbers only the whole ones are sure to be what was written.
 *
 * @throws {BrokerError} as `fieldOfJson`
 */
export function fieldOf(side: OtherSide, locator: string, field: string, map: object): Secret<string> {
  const value = memberOf(map, field)
  if (value === undefined) throw secretNotFound(side, locator, "picks a field that is not there")
  if (typeof value === "string") return new Secret(value)
  if (value instanceof WrittenNumber) return new Secret(value.text)
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return new Secret(JSON.stringify(value))
  if (typeof value === "number")
    throw secretUnusable(
      side,
      locator,
      "picks a number that may have been written with other digits: write it as a text",
    )
  throw secretUnusable(side, locator, "picks a field that holds no single text, number or flag")
}
