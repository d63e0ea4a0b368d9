import type { Caution, Claims, ClaimValue } from "../identity.ts"
import { matchPattern, type Pattern } from "./pattern.ts"

/** One key of a `when`: what one claim must be. */
export interface Condition {
  /** The claim's name as the issuer sends it. */
  readonly claim: string
  readonly test: Test
}

/** `any`: one of the patterns matches. `none`: none of them does (`not`). `present`: the claim is there, or is not. */
export type Test =
  | { readonly kind: "any" | "none"; readonly patterns: readonly Pattern[] }
  | { readonly kind: "present"; readonly present: boolean }

/**
 * Whether a condition holds for these claims, in a rule of this kind. A missing claim never helps the caller:
 *
 * - in an `allow` it fulfils nothing but `present: false`, not even `not`;
 * - in a `deny` it fulfils everything but `present: true`, so that leaving a claim out never escapes a refusal.
 *
 * A claim that is null is missing. Strings, booleans and safe integers are compared as text, a list by its members.
 * Whatever else a token carries (fractions, integers that JSON cannot hold exactly, objects, lists in lists) matches no
 * pattern, and what cannot be compared does not pass as `not` in an `allow`.
 */
export function matchCondition(condition: Condition, kind: "allow" | "deny", claims: Claims): boolean {
  const { test } = condition
  const value = claimOf(claims, condition.claim)
  if (test.kind === "present") return (value !== null) === test.present
  if (value === null) return kind === "deny"
  const { texts, complete } = textsOf(value)
  const matched = texts.some((text) => test.patterns.some((pattern) => matchPattern(pattern, text)))
  if (test.kind === "any") return matched
  return !matched && (complete || kind === "deny")
}

/**
 * Whether the conditions of an `allow` name a caution: the value of the claim that says so, or the caution itself.
 *
 * Only a member without a wildcard names it. `pull_*`, `**` and `not: push` would let outsiders in by accident.
 */
export function namesCaution(conditions: readonly Condition[], { fact, claim, value }: Caution): boolean {
  return conditions.some(
    (condition) =>
      namesValue(condition, fact, "true") ||
      (claim !== undefined && value !== undefined && namesValue(condition, claim, value)),
  )
}

function namesValue({ claim, test }: Condition, wanted: string, value: string): boolean {
  return claim === wanted && test.kind === "any" && test.patterns.some((pattern) => pattern.literal === value)
}

/** The condition in the policy's own words: `refs/heads/main`, `push or workflow_dispatch`, `not github-hosted`. */
export function describeCondition({ test }: Condition): string {
  if (test.kind === "present") return test.present ? "present" : "missing"
  const any = test.patterns.map((pattern) => pattern.source).join(" or ")
  return test.kind === "any" ? any : `not ${any}`
}

/** What the token says, for people: at most 256 characters; null when the claim is missing. */
export function describeClaim(claims: Claims, name: string): string | null {
  const value = claimOf(claims, name)
  if (value === null) return null
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return text.length > 256 ? `${text.slice(0, 255)}…` : text
}

function claimOf(claims: Claims, name: string): ClaimValue {
  return Object.hasOwn(claims, name) ? (claims[name] ?? null) : null
}

/** What patterns are held against; `complete` is false when a part of the value cannot be compared. */
function textsOf(value: ClaimValue): { readonly texts: readonly string[]; readonly complete: boolean } {
  const members: readonly ClaimValue[] = Array.isArray(value) ? value : [value]
  const texts: string[] = []
  for (const member of members) {
    if (typeof member === "string") texts.push(member)
    else if (typeof member === "boolean") texts.push(String(member))
    else if (typeof member === "number" && Number.isSafeInteger(member))
      texts.push(Object.is(member, -0) ? "0" : String(member))
  }
  return { texts, complete: texts.length === members.length }
}
