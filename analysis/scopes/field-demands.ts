import { fieldsChecked, underCeiling } from "../../broker/core/policy/ceiling.ts"
import type { BoundaryEntry, FieldCeiling, Grant } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"
import { memberOf } from "../../broker/core/policy/plain.ts"
import { hasGaps, type TemplatePart, templateParts, withSamples } from "../../broker/core/policy/template.ts"

/** That a text of a grant matches one of these patterns. */
export interface TextDemand {
  readonly parts: readonly TemplatePart[]
  readonly patterns: readonly Pattern[]
}

/**
 * What must hold for a grant to be what an entry of a boundary admits; `never` when no job's claims make it so, `unknown`
 * when its provider makes something else of a template's texts than what was written, so that nothing can be told.
 */
export type EntryDemands = readonly TextDemand[] | "never" | "unknown"

/** Holds a grant's fields, gaps and all, against an entry of a boundary. */
export function demandsOf(entry: BoundaryEntry, grant: Grant): EntryDemands {
  const { connection, template } = grant
  if (entry.connection !== connection.name) return "never"
  const [fields, raw] = [underCeiling(grant, grant.fields), template && underCeiling(grant, template.raw)]
  return joined(
    fieldsChecked(entry, fields).map(([name, ceiling]) =>
      ceiling === null ? "never" : within(ceiling, memberOf(fields, name), memberOf(raw, name)),
    ),
  )
}

/** `value` is as the provider reads it, with samples in its gaps; `raw` as it was written, if it was. */
function within(ceiling: FieldCeiling, value: unknown, raw: unknown): EntryDemands {
  if (ceiling.kind === "text") {
    const texts = textsIn(value, raw)
    if (typeof texts === "string") return texts
    return texts.length === 0 ? "never" : texts.map((parts) => ({ parts, patterns: ceiling.patterns }))
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return isFaithful(value, raw) ? "never" : "unknown"
  const keys = Object.keys(value)
  if (keys.length === 0 || keys.some((key) => !ceiling.entries.has(key))) return "never"
  const present = [...ceiling.entries].filter(([key]) => Object.hasOwn(value, key))
  return joined(present.map(([key, inner]) => within(inner, memberOf(value, key), memberOf(raw, key))))
}

/** Every text in a value, however deep, as the ceiling sees them. */
function textsIn(value: unknown, raw: unknown): readonly (readonly TemplatePart[])[] | "never" | "unknown" {
  if (!isFaithful(value, raw)) return "unknown"
  if (typeof value === "string") return [typeof raw === "string" ? templateParts(raw) : [{ text: value }]]
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return [[{ text: String(value) }]]
  if (typeof value !== "object" || value === null) return "never"
  const texts: (readonly TemplatePart[])[] = []
  for (const [key, member] of Object.entries(value)) {
    const inner = textsIn(member, memberOf(raw, key))
    if (typeof inner === "string") return inner
    texts.push(...inner)
  }
  return texts
}

/** Whether what was written with gaps came through the provider's schema as it was, so that its gaps are where they were. */
function isFaithful(value: unknown, raw: unknown): boolean {
  if (!hasGaps(raw)) return true
  if (typeof raw === "string") return value === withSamples(raw)
  if (typeof value !== "object" || value === null || Array.isArray(value) !== Array.isArray(raw)) return false
  return Object.keys(raw as object).every((key) => !hasGaps(memberOf(raw, key)) || Object.hasOwn(value, key))
}

function joined(all: readonly EntryDemands[]): EntryDemands {
  if (all.includes("never")) return "never"
  if (all.includes("unknown")) return "unknown"
  return all.flatMap((one) => (typeof one === "string" ? [] : one))
}
