import type { Claims } from "../core/identity.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import { fail, ok, type Result } from "../core/result.ts"

/**
 * The claims that the organisation file maps, by the family's names. A mapped claim must be in every token: a job whose
 * environment is missing would otherwise count as one without an environment. The fault is the end of a sentence that begins
 * with `In the subject token, `.
 */
export function mappedClaims(claims: Claims, { claims: mapping = {} }: IssuerConfig): Result<Claims, string> {
  const found: Record<string, Claims[string]> = Object.create(null)
  for (const [role, claim] of Object.entries(mapping)) {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
    const isUsable = (typeof value === "string" && value !== "") || Number.isSafeInteger(value)
    if (!isUsable || value === undefined) {
      const must = value === undefined ? "is missing" : "must be a text or a whole number, and not empty"
      return fail(`the claim ${claim} ${must}: the organisation file maps it as ${role}`)
    }
    found[role] = value
  }
  return ok(found)
}
