import { shortNameGap } from "../families/units.ts"
import { type ClaimValue, type Identity, shortName } from "../identity.ts"
import { fail, ok, type Result } from "../result.ts"
import type { Grant } from "./model.ts"

/** Replaces every claim when a template is checked at load. */
const SAMPLE = "x"
/** A second sample: comparing both results shows what a claim changes. */
export const OTHER_SAMPLE = "y"

/**
 * A gap, or the escaped form `$${...}`, which means the literal text `${...}`. Claims of some issuers have a host's name and
 * a slash before them: `${kubernetes.io/namespace}`.
 */
const GAP = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*|[A-Za-z][A-Za-z0-9.-]*\/[A-Za-z0-9_./-]+)\}/g

/** One part of a template's text: literal text, or the claim that fills a gap. */
export type TemplatePart = { readonly text: string } | { readonly claim: string }

/** Splits a text at its gaps. `${aws:PrincipalTag/team}` and other text that is not a claim's name stays unchanged. */
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

/** The claims that a grant's gaps name. Gaps are only in values, never in keys. */
export function claimsOf(raw: unknown): readonly string[] {
  const claims = new Set<string>()
  mapTexts(raw, (text) => {
    for (const part of templateParts(text)) if ("claim" in part) claims.add(part.claim)
    return text
  })
  return [...claims]
}

/** Whether a text contains a gap or an escaped gap, so that it must be filled. */
export const hasGaps = (raw: unknown): boolean => {
  let found = false
  mapTexts(raw, (text) => {
    found ||= text.search(GAP) >= 0
    return text
  })
  return found
}

/** The template with a sample in every gap, for the schema check at load. */
export function withSamples<Value>(raw: Value, sample: string = SAMPLE): Value {
  return mapTexts(raw, (text) =>
    templateParts(text)
      .map((part) => ("claim" in part ? sample : part.text))
      .join(""),
  ) as Value
}

/**
 * The fields of a grant for one job: the template filled with the job's claims, and checked by the provider again.
 *
 * A claim's value must consist of letters, digits and `_ . -`, and must not be only dots. Any other value refuses the
 * grant, because it could begin another part of an ARN, a path or a query. The fault is our own sentence and names the
 * claim.
 */
export function fieldsFor(grant: Grant, identity: Identity): Result<unknown, string> {
  const { template } = grant
  if (template === undefined) return ok(grant.fields)
  const values = new Map<string, string>()
  for (const claim of template.claims) {
    const value = claimFor(claim, identity)
    if (value === null) return fail(`the token has no claim ${claim} to fill in`)
    if (!isInsertable(value)) {
      return fail(`the claim ${claim} may only contain letters, digits and _ . - to be filled into a grant`)
    }
    values.set(claim, value)
  }
  const filled = mapTexts(template.raw, (text) =>
    templateParts(text)
      .map((part) => ("claim" in part ? (values.get(part.claim) ?? "") : part.text))
      .join(""),
  )
  const parsed = template.schemas.grant.safeParse(filled)
  if (!parsed.success) return fail("filled with this job's claims, its provider does not accept it")
  const conflict = template.schemas.check?.(parsed.data, grant.connection.settings) ?? null
  return conflict === null ? ok(parsed.data) : fail(`filled with this job's claims, ${conflict}`)
}

/**
 * Why the provider refuses a filled grant for this job; null when it does not. The fault has the form of those of
 * `fieldsFor`. It is a separate check because it depends on the job's owner, and not only on the values in the gaps.
 */
export function conflictWithJob(
  { template, connection }: Grant,
  identity: Pick<Identity, "ownerId" | "issuerUrl">,
): string | null {
  if (template === undefined || template.claims.length === 0) return null
  return template.schemas.checkFilled?.(connection.settings, identity) ?? null
}

/** Whether a claim's value may go into a gap. */
export const isInsertable = (value: string): boolean => /^[A-Za-z0-9_.-]+$/.test(value) && !/^\.+$/.test(value)

function claimFor(claim: string, identity: Identity): string | null {
  if (claim === shortNameGap(identity.unitKind)) return shortName(identity.unit)
  const value: ClaimValue = Object.hasOwn(identity.claims, claim) ? (identity.claims[claim] ?? null) : null
  if (typeof value === "string") return value
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return String(value)
  return null
}

/** A copy of a plain value with every text in it replaced. */
function mapTexts(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === "string") return replace(value)
  if (Array.isArray(value)) return value.map((member) => mapTexts(member, replace))
  if (typeof value !== "object" || value === null) return value
  // `fromEntries` defines properties instead of assigning them, so a key such as `__proto__` stays an ordinary key.
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapTexts(member, replace)]))
}
