import * as z from "zod"
import type { Test } from "./condition.ts"
import { fault, quote } from "./faults.ts"
import type { PolicyFault } from "./model.ts"
import { compilePattern, MAX_PATTERN_CHARACTERS, type Pattern } from "./pattern.ts"
import { claimName, nonEmpty } from "./schema-words.ts"
import { childOf, itemsOf, type YamlNode } from "./yaml.ts"

/** A pattern of claims or of a grant's fields. */
export const pattern = z
  .string()
  .min(1)
  .transform((text, context): Pattern => {
    const compiled = compilePattern(text)
    if (compiled.ok) return compiled.value
    context.addIssue({ code: "custom", message: compiled.fault })
    return z.NEVER
  })
  .meta({
    description:
      "Matches the whole value, case-sensitively. * is one or more characters except / : @, ** is zero or more of any, \\* is a star.",
    maxLength: MAX_PATTERN_CHARACTERS,
  })

/** Several patterns, of which one must match. */
export const patterns = z.array(pattern).min(1)

/** `true` and `false` of YAML stand for these texts, because conditions compare the claims' values as texts. */
const flag = z.boolean().transform((value): Pattern => {
  const compiled = compilePattern(String(value))
  return compiled.ok ? compiled.value : z.NEVER
})

const values = z.array(z.union([pattern, flag])).min(1)

// Its forms are not nested, so that a fault is reported of the one that its author meant.
const negation = z.union([pattern.transform((one) => [one]), flag.transform((one) => [one]), values])

const special = z
  .strictObject({ not: negation.optional(), present: z.boolean().optional() })
  .transform((value, context): Test => {
    if (value.not !== undefined && value.present === undefined) return { kind: "none", patterns: value.not }
    if (value.present !== undefined && value.not === undefined) return { kind: "present", present: value.present }
    context.addIssue({ code: "custom", message: "a condition is either { not: ... } or { present: true | false }" })
    return z.NEVER
  })
  .meta({ minProperties: 1, maxProperties: 1 })

/** What one claim must be: a pattern or a flag, a list of these, `{ not: ... }` or `{ present: true | false }`. */
export const condition = z
  .union([
    pattern.transform((one): Test => ({ kind: "any", patterns: [one] })),
    flag.transform((one): Test => ({ kind: "any", patterns: [one] })),
    values.transform((several): Test => ({ kind: "any", patterns: several })),
    special,
  ])
  .meta({ id: "condition" })

/** The conditions of a rule or a boundary. */
export const whenSchema = nonEmpty(z.record(claimName, condition)).meta({
  description: "Claims of the subject token, all of which must match.",
  minProperties: 1,
})

/**
 * The flags in conditions that are not spelt `true` or `false`. YAML takes `True` and `TRUE` for flags too, but their author
 * may mean the text: a `deny` with it would then never match.
 */
export function flagFaults(file: string, root: YamlNode, sections: readonly string[]): readonly PolicyFault[] {
  const rules = sections.flatMap((section) => itemsOf(childOf(root, section)))
  const conditions = rules.flatMap((rule) => ["when", "require"].flatMap((key) => valuesOf(childOf(rule, key))))
  return conditions.flatMap((one) => oddFlags(file, childOf(one, "not") ?? one))
}

const valuesOf = (node: YamlNode | undefined): readonly YamlNode[] =>
  node?.kind === "map" ? [...node.entries.values()].map((entry) => entry.value) : []

function oddFlags(file: string, node: YamlNode): readonly PolicyFault[] {
  if (node.kind === "list") return node.items.flatMap((item) => oddFlags(file, item))
  if (node.kind === "map" || typeof node.value !== "boolean" || node.source === String(node.value)) return []
  const message = `A condition must be a text, or true or false in lower case: write ${node.value}, or the text in quotes: ${quote(node.source)}`
  return [fault(file, node.at, "type_wrong", message)]
}
