import type { Grant } from "../../broker/core/policy/model.ts"
import { compilePattern } from "../../broker/core/policy/pattern.ts"
import { templateParts } from "../../broker/core/policy/template.ts"
import { fieldsSeen } from "../reach/grant-words.ts"
import { meeting } from "../regions/atoms.ts"
import { languageOfPattern } from "../regions/language.ts"
import type { FieldWish } from "./model.ts"

/**
 * Whether a grant reads an item or folder as a whole that can have a secret whose locator the wish names. A gap counts as any
 * text, and what cannot be decided counts as yes: an answer with too many jobs shows a risk, one with too few hides it.
 */
export function readsInWhole(grant: Grant, { key, pattern }: FieldWish): boolean {
  const fields = fieldsSeen(grant)
  if (key !== "read" || typeof fields !== "object" || fields === null || !("read_all" in fields)) return false
  const { read_all: from } = fields
  return typeof from === "string" && secretsIn(from).some((inside) => canMatch(inside, pattern))
}

/** Patterns of the locators in an item or folder: stores name a field after a `#` or after a slash. */
function secretsIn(from: string): readonly string[] {
  const whole = templateParts(from)
    .map((part) => ("claim" in part ? "*" : part.text.replaceAll("*", "\\*")))
    .join("")
  return from.endsWith("/") ? [`${whole}**`] : [`${whole}#**`, `${whole}/**`]
}

function canMatch(inside: string, wanted: FieldWish["pattern"]): boolean {
  const pattern = compilePattern(inside)
  if (!pattern.ok) return true
  const common = meeting(languageOfPattern(pattern.value), languageOfPattern(wanted))
  return !common.ok || common.value !== null
}
