import { type ClaimValue, type Identity, repositoryName } from "../identity.ts"
import { fail, ok, type Result } from "../result.ts"
import type { Grant } from "./model.ts"

/** The one name in a gap that is no claim: what stands behind `owner/` in the job's repository. */
export const REPOSITORY_NAME = "repository_name"

/** What stands in for a claim when a template is checked at load. */
const SAMPLE = "x"
/** What stands in for it instead, to see what a claim would change. */
export const OTHER_SAMPLE = "y"

/** A gap, or `$${...}`, which stands for itself without its first `$`. */
const GAP = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** One part of a template's text: as it stands, or the claim that goes there. */
export type TemplatePart = { readonly text: string } | { readonly claim: string }

/** Cuts a text at its gaps. `${aws:PrincipalTag/team}` and whatever else is no claim's name stays as it is. */
export function templateParts(text: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = []
  let from = 0
  for (const match of text.matchAll(GAP)) {
    const [whole, escaped, claim = ""] = match
    if (match.index > from) parts.push({ text: text.slice(from, match.index) })
    parts.push(escaped === "$" ? { text: whole.slice(1) } : { claim })
    from = match.index + whole.length
  }
  if (from < text.length || parts.length === 0) parts.push({ text: text.slice(from) })
  return parts
}

/** The claims that a grant's own keys have gaps for. Gaps are in values, never in keys. */
export function claimsOf(raw: unknown): readonly string[] {
  const claims = new Set<string>()
  mapTexts(raw, (text) => {
    for (const part of templateParts(text)) if ("claim" in part) claims.add(part.claim)
    return text
  })
  return [...claims]
}

/** Whether a text holds a gap or an escaped one, so that it does not stand for itself. */
export const hasGaps = (raw: unknown): boolean => {
  let found = false
  mapTexts(raw, (text) => {
    found ||= text.search(GAP) >= 0
    return text
  })
  return found
}

/** The template with a sample in every gap: what its schema is first held against. */
export function withSamples<Value>(raw: Value, sample: string = SAMPLE): Value {
  return mapTexts(raw, (text) =>
    templateParts(text)
      .map((part) => ("claim" in part ? sample : part.text))
      .join(""),
  ) as Value
}

/**
 * The fields of a grant for one job: its template filled with the job's claims, and checked by its provider again.
 *
 * A value goes in only if it is letters, digits and `_ . -`, and not dots alone: whatever could begin another part of an
 * ARN, a path or a query refuses the grant. The fault is a sentence of ours that names the claim.
 */
export function fieldsFor(grant: Grant, identity: Identity): Result<unknown, string> {
  const { template } = grant
  if (template === undefined) return ok(grant.fields)
  const values = new Map<string, string>()
  for (const claim of template.claims) {
    const value = claimFor(claim, identity)
    if (value === null) return fail(`the token has no claim ${claim} that could be filled in`)
    if (!isInsertable(value)) {
      return fail(`${claim} is not letters, digits and _ . - alone, and nothing else is filled into a grant`)
    }
    values.set(claim, value)
  }
  const filled = mapTexts(template.raw, (text) =>
    templateParts(text)
      .map((part) => ("claim" in part ? (values.get(part.claim) ?? "") : part.text))
      .join(""),
  )
  const parsed = template.schemas.grant.safeParse(filled)
  if (!parsed.success) return fail("filled with this job's claims, it is not one that its provider takes")
  const conflict = template.schemas.check?.(parsed.data, grant.connection.settings) ?? null
  return conflict === null ? ok(parsed.data) : fail(`filled with this job's claims, ${conflict}`)
}

/**
 * Why a job cannot have a grant that its claims filled, by the provider's own word; null when it can. A fault such as
 * those of `fieldsFor`, and apart from it: this asks who the job is, besides what goes into the gaps.
 */
export function misfitOf({ template, connection }: Grant, identity: Pick<Identity, "ownerId">): string | null {
  if (template === undefined || template.claims.length === 0) return null
  return template.schemas.checkFilled?.(connection.settings, identity) ?? null
}

/** Whether a claim's value may go into a gap. */
export const isInsertable = (value: string): boolean => /^[A-Za-z0-9_.-]+$/.test(value) && !/^\.+$/.test(value)

function claimFor(claim: string, identity: Identity): string | null {
  if (claim === REPOSITORY_NAME) return repositoryName(identity.repository)
  const value: ClaimValue = Object.hasOwn(identity.claims, claim) ? (identity.claims[claim] ?? null) : null
  if (typeof value === "string") return value
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return String(value)
  return null
}

/** The same plain value with every text in it replaced. */
function mapTexts(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === "string") return replace(value)
  if (Array.isArray(value)) return value.map((member) => mapTexts(member, replace))
  if (typeof value !== "object" || value === null) return value
  // Defined, not assigned: a key such as `__proto__` is a key like any other.
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapTexts(member, replace)]))
}
