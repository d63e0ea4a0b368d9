import type { ClaimForm } from "../../broker/core/families/claim-fact.ts"
import { claimFact } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import type { FieldCeiling } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"
import type { YamlPath } from "../../broker/core/policy/yaml.ts"
import { type Clause, clausesOf, patternsOf } from "./clauses.ts"
import { familiesOf } from "./families-of.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** By the form of a claim that has parts: the further values that `**` matches because it crosses separators. */
const ALSO_MATCHED: ReadonlyMap<ClaimForm | undefined, (pattern: Pattern) => string> = new Map([
  ["ref", furtherRefs],
  ["workflow", furtherFiles],
  ["repository", () => "repositories of other owners"],
])

/** Finds `**` in patterns that admit jobs, where it admits more parts of the value than the author most likely means. */
export function* doubleStars(subject: Subject): Generator<Warning> {
  const { set, sources } = subject
  for (const clause of clausesOf(set)) {
    for (const { claim, test } of clause.conditions) {
      const form = formOf(familiesOf(set, clause), claim)
      const alsoMatched = ALSO_MATCHED.get(form)
      if (alsoMatched === undefined || !admits(clause, test.kind)) continue
      for (const [index, pattern] of patternsOf({ test }).entries()) {
        if (!crosses(pattern, form)) continue
        const at = sources.patternAt(clause.file, [...clause.path, claim], index)
        const message = `** crosses every separator: in ${clause.whose}, ${JSON.stringify(pattern.source)} also matches ${alsoMatched(pattern)}. Write * for one part, or list the exact values.`
        yield warn(clause.file, at, "double_star", message)
      }
    }
  }
  yield* inEntries(subject)
}

function furtherRefs({ prefix }: Pattern): string {
  if (prefix.startsWith("refs/heads/")) {
    return `branches with further slashes, such as ${prefix}x/y, which a branch protection rule for ${prefix.slice("refs/heads/".length)}* leaves unprotected`
  }
  return prefix.startsWith("refs/tags/")
    ? "tags with further slashes"
    : "all of branches, tags and the merge refs of pull requests"
}

function furtherFiles({ source, steps }: Pattern): string {
  const [file = "", ref] = source.split("@")
  if (ref === undefined) return "every file below it, in the version of any branch, tag or pull request"
  const isFileFixed = !file.includes("*")
  const refs = steps.includes("anything") && ref.includes("**")
  const wide = refs ? "the file on any branch, tag or pull request, where any writer can change it" : ""
  return isFileFixed ? wide : `files of other repositories and folders${wide && `, and ${wide}`}`
}

/** Whether the patterns of a condition admit jobs. A wide deny is harmless; the patterns of its `not` spare jobs. */
function admits({ part }: Clause, kind: "any" | "none" | "present"): boolean {
  return kind === (part === "deny" ? "none" : "any")
}

/** The form that a claim has for one of the families, if any says it. */
export function formOf(families: readonly FamilyFacts[], claim: string): ClaimForm | undefined {
  const forms = families.map(({ name }) => claimFact(name, claim)?.form)
  return forms.find((form) => form !== undefined)
}

function crosses(pattern: Pattern, form: ClaimForm | undefined): boolean {
  if (!pattern.steps.includes("anything")) return false
  // A repository has one slash: after the owner, no separator is left to cross.
  return !(form === "repository" && pattern.prefix.includes("/"))
}

function* inEntries({ set, sources }: Subject): Generator<Warning> {
  for (const [index, { name, file, allow }] of set.organisation.boundaries.entries()) {
    for (const [number, { fields }] of allow.entries()) {
      for (const { path, pattern, position } of patternsIn(fields, ["boundaries", index, "allow", number])) {
        // A lone `**` says that the field must be present and may have any value. It is most likely intended.
        if (pattern.source === "**" || !pattern.steps.includes("anything")) continue
        const field = String(path.at(-1))
        const message = `** crosses every separator: the boundary ${JSON.stringify(name)} allows every ${field} that begins with ${JSON.stringify(pattern.prefix)}, with any path, account or host after it. Write * for one part, or list the exact values.`
        yield warn(file, sources.patternAt(file, path, position), "double_star", message)
      }
    }
  }
}

interface PlacedPattern {
  readonly path: YamlPath
  readonly pattern: Pattern
  readonly position: number
}

function* patternsIn(fields: ReadonlyMap<string, FieldCeiling>, path: YamlPath): Generator<PlacedPattern> {
  for (const [name, field] of fields) {
    const here = [...path, name]
    if (field.kind === "map") yield* patternsIn(field.entries, here)
    else for (const [position, pattern] of field.patterns.entries()) yield { path: here, pattern, position }
  }
}
