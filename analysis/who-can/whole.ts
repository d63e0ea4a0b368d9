import type { Grant } from "../../broker/core/policy/model.ts"
import { compilePattern } from "../../broker/core/policy/pattern.ts"
import { templateParts } from "../../broker/core/policy/template.ts"
import { fieldsSeen } from "../reach/grant-words.ts"
import { meeting } from "../regions/atoms.ts"
import { languageOfPattern } from "../regions/language.ts"
import type { FieldWish } from "./model.ts"

/**
 * Whether the wish names a secret that a grant can get with `read_all`. A gap stands for any text. If the answer is not certain,
 * it is yes: a list with too many jobs shows a risk, and a list with too few hides one.
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
