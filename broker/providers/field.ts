import { memberOf } from "../core/policy/plain.ts"
import { Secret } from "../core/secret.ts"
import { textOfUtf8 } from "../core/utf8.ts"
import type { OtherSide } from "./call.ts"
import { secretNotFound, secretUnusable } from "./stored-value.ts"

/** Splits a locator at its last `#` into the place and the field; the field is null when the whole value is wanted. */
export function splitField(locator: string): { readonly place: string; readonly field: string | null } {
  const at = locator.lastIndexOf("#")
  return at < 0 ? { place: locator, field: null } : { place: locator.slice(0, at), field: locator.slice(at + 1) }
}

/** Whether a URL stands where a locator is meant. */
export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text)

/** Why a field's name is invalid; null when it is valid. The end of a sentence that begins with the locator. */
export const fieldFault = (field: string | null): string | null =>
  field === "" ? "must name a field after the #" : null

/** A number with the digits of its JSON text. */
class WrittenNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/**
 * One field of a JSON object that a store keeps as text. Texts are returned unchanged, numbers with exactly their written
 * digits, booleans as `true` or `false`.
 *
 * @throws {BrokerError} `secret_unusable` when the text is not a JSON object, or the field is not a single value;
 *   `secret_not_found` when the field does not exist
 */
export const fieldOfJson = (side: OtherSide, locator: string, field: string, json: Secret<string>): Secret<string> =>
  fieldOf(side, locator, field, mapOfJson(side, locator, json, "selects a field"))

/**
 * The JSON object that a store keeps as text, for `fieldOf`. `what` is the start of a refusal.
 *
 * @throws {BrokerError} `secret_unusable` when the text is not a JSON object
 */
export function mapOfJson(side: OtherSide, locator: string, json: Secret<string>, what: string): object {
  let parsed: unknown
  try {
    parsed = JSON.parse(json.reveal(), asWritten)
  } catch {
    throw secretUnusable(side, locator, `${what}, but the stored value is not JSON`)
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed) || parsed instanceof WrittenNumber)
    throw secretUnusable(side, locator, `${what}, but the stored value is not a JSON object`)
  return parsed
}

/** Keeps a number's text: JavaScript cannot hold 12345678901234567890, and 1.10 would become 1.1. */
const asWritten = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" && context?.source !== undefined ? new WrittenNumber(context.source) : value

/**
 * One field of a map that a store returns as JSON. Only whole numbers are certain to have their written digits.
 *
 * @throws {BrokerError} as `fieldOfJson`
 */
export function fieldOf(side: OtherSide, locator: string, field: string, map: object): Secret<string> {
  const value = memberOf(map, field)
  if (value === undefined) throw secretNotFound(side, locator, "selects a field that does not exist")
  if (typeof value === "string") return new Secret(value)
  if (value instanceof WrittenNumber) return new Secret(value.text)
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return new Secret(JSON.stringify(value))
  if (typeof value === "number")
    throw secretUnusable(side, locator, "selects a number whose written digits are not known: store it as a text")
  throw secretUnusable(side, locator, "selects a field that is not a single text, number or boolean")
}

/** A stored value as text of JSON. Bytes that are not text become an empty text, which is not JSON. */
export const jsonTextOf = (raw: string | Uint8Array): Secret<string> =>
  new Secret(typeof raw === "string" ? raw : (textOfUtf8(raw) ?? ""))
