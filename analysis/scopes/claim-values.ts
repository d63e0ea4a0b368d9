import { type ClaimFact, type ClaimForm, FORMS, type FormRule } from "../../broker/core/families/claim-fact.ts"
import { nearest } from "../../broker/core/policy/faults.ts"
import { compilePattern, matchPattern, type Pattern } from "../../broker/core/policy/pattern.ts"
import { meeting } from "../regions/atoms.ts"
import { languageOfPattern } from "../regions/language.ts"

/** Whether some value that a claim can have matches a pattern. What is too complex to tell counts as one that does. */
export function canHave({ values, form }: ClaimFact, pattern: Pattern): boolean {
  if (values !== undefined) return [...values.keys()].some((value) => matchPattern(pattern, value))
  return form === undefined || fits(form, pattern)
}

/** Whether two patterns have a text in common. What is too complex to tell counts as one. */
export function meet(one: Pattern, other: Pattern): boolean {
  if (one.literal !== null) return matchPattern(other, one.literal)
  if (other.literal !== null) return matchPattern(one, other.literal)
  const pair = `${one.source}\n${other.source}`
  const known = met.get(pair)
  if (known !== undefined) return known
  const found = meeting(languageOfPattern(one), languageOfPattern(other))
  const outcome = !found.ok || found.value !== null
  met.set(pair, outcome)
  return outcome
}

/** Folders write the same patterns thousands of times, and a comparison takes a fraction of a millisecond. */
const met = new Map<string, boolean>()

/** A value that the author most likely meant instead of one that no token has; null when none is near. */
export function nearestValue({ values, form }: ClaimFact, source: string): string | null {
  if (values !== undefined) return nearest(source, values.keys())
  switch (form) {
    case "ref":
      return nearestRef(source)
    case "branch":
      return source.startsWith("refs/heads/") ? source.slice("refs/heads/".length) : null
    case "commit":
      return /^[0-9A-F]{40}$/i.test(source) ? source.toLowerCase() : null
    default:
      return null
  }
}

/** What values of a form look like, for messages. */
export const formWords = (form: ClaimForm): string => FORMS[form].words

/** A commit id has 40 digits, or 64 in a repository that uses SHA-256. */
const COMMIT_LENGTHS = [40, 64]

function fits(form: ClaimForm, pattern: Pattern): boolean {
  const { characters } = FORMS[form]
  const spelt = pattern.steps.flatMap((step) => (typeof step === "number" ? [String.fromCharCode(step)] : []))
  if (!spelt.every((character) => characters.test(character))) return false
  if (form === "branch" && pattern.prefix.startsWith("refs/")) return false
  if (form === "commit" && !COMMIT_LENGTHS.some((length) => fitsInto(pattern, length))) return false
  return compiled(FORMS[form]).some((shape) => meet(pattern, shape))
}

function fitsInto({ steps }: Pattern, length: number): boolean {
  const least = steps.filter((step) => step !== "anything").length
  return steps.some((step) => typeof step !== "number") ? least <= length : least === length
}

const shapes = new Map<FormRule, readonly Pattern[]>()

function compiled(rule: FormRule): readonly Pattern[] {
  const known = shapes.get(rule)
  if (known !== undefined) return known
  const patterns = rule.patterns.map((source) => {
    const pattern = compilePattern(source)
    if (!pattern.ok) throw new TypeError(pattern.fault)
    return pattern.value
  })
  shapes.set(rule, patterns)
  return patterns
}

/** `main`, `heads/main`, `refs/head/main`, `refs/*`: what people write for a full ref. */
function nearestRef(source: string): string | null {
  const bare = source.replace(/^\/?(?:refs\/)?/, "")
  const [, kind = "", name = ""] = /^(heads?|branch(?:es)?|tags?|pulls?)\/(.+)$/.exec(bare) ?? []
  if (kind.startsWith("t")) return `refs/tags/${name}`
  if (kind.startsWith("p")) return /^\d+$|^\*$/.test(name) ? `refs/pull/${name}/merge` : null
  return `refs/heads/${kind === "" ? bare : name}`
}
