import type { ClaimValue } from "../../broker/core/identity.ts"

/** A JSON object, as the strict parser returns it: without a prototype. */
export type JsonObject = Readonly<Record<string, ClaimValue>>

export const isObject = (value: ClaimValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A text; undefined for anything else. */
export const textOf = (value: ClaimValue | undefined): string | undefined =>
  typeof value === "string" ? value : undefined

/** One value or a list of values, as IAM and Vault write them. Empty for an absent value. */
export const listOf = (value: ClaimValue | undefined): readonly ClaimValue[] => {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value as ClaimValue]
}

/** The same, if all values are texts, numbers or booleans, as texts; null for anything else. */
export function textsOf(value: ClaimValue | undefined): readonly string[] | null {
  const all = listOf(value)
  return all.every((one) => ["string", "number", "boolean"].includes(typeof one)) ? all.map(String) : null
}
