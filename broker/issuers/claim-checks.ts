import type { FamilyFacts } from "../core/families/family-facts.ts"
import { DIGITS } from "../core/families/id-forms.ts"
import type { Claims } from "../core/identity.ts"

/** A claim that every token of the family has as a text. `identify.ts` checks that before a family reads it. */
export function text(claims: Claims, name: string): string {
  const value = claims[name]
  return typeof value === "string" ? value : ""
}

/**
 * What is wrong with a claim that must have one of the family's known values; null when nothing is.
 *
 * For claims with values that an `allow` must name: an unknown value could be another one of these.
 */
export function faultOfClosed(facts: FamilyFacts, claims: Claims, ...names: readonly string[]): string | null {
  for (const name of names) {
    const values = facts.claims.get(name)?.values
    if (values?.has(text(claims, name)) === false) {
      return `the claim ${name} must be ${[...values.keys()].join(" or ")}`
    }
  }
  return null
}

/** What is wrong with a claim that is a part of the unit's name; null when nothing is. */
export function faultOfNames(claims: Claims, ...names: readonly string[]): string | null {
  const wrong = names.find((name) => !SLUG.test(text(claims, name)))
  return wrong === undefined ? null : `the claim ${wrong} must be a name of ASCII letters, digits, - and _`
}

/** Only ASCII, so that a look-alike letter of another script cannot imitate a known name; and no slash, which divides names. */
const SLUG = /^[A-Za-z0-9_-]{1,128}$/

/** What is wrong with a claim that must be a text with characters in it; null when nothing is. */
export function faultOfEmpty(claims: Claims, ...names: readonly string[]): string | null {
  const wrong = names.find((name) => text(claims, name) === "")
  return wrong === undefined ? null : `the claim ${wrong} must not be empty`
}

/** The fault of the first of some claims that is there and no id in decimal digits; null when there is none. */
export function faultOfIds(claims: Claims, names: readonly string[]): string | null {
  const wrong = names.find((name) => claims[name] !== undefined && !DIGITS.pattern.test(text(claims, name)))
  return wrong === undefined ? null : `the claim ${wrong} must be an id in decimal digits`
}

/** The fault of two claims that should say the same. */
export const disagree = (one: string, other: string): string => `the claims ${one} and ${other} disagree`
