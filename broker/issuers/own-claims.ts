import { DIGITS } from "../core/families/family-facts.ts"
import type { Claims } from "../core/identity.ts"

// What several families' own checks need.

/** A claim as text; empty for one that is missing or no text. Claims that every token has were checked before. */
export function text(claims: Claims, name: string): string {
  const value = claims[name]
  return typeof value === "string" ? value : ""
}

/** The fault of the first of some claims that is there and no id in decimal digits; null when there is none. */
export function faultOfIds(claims: Claims, names: readonly string[]): string | null {
  const wrong = names.find((name) => claims[name] !== undefined && !DIGITS.pattern.test(text(claims, name)))
  return wrong === undefined ? null : `the claim ${wrong} must be an id in decimal digits`
}

/** The fault of two claims that should say the same. */
export const disagree = (one: string, other: string): string => `the claims ${one} and ${other} disagree`
