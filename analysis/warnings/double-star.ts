import type { ClaimForm } from "../../broker/core/claims/claim-fact.ts"
import { claimFact } from "../../broker/core/claims/families.ts"
import type { FieldCeiling } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"
import type { YamlPath } from "../../broker/core/policy/yaml.ts"
import { type Clause, clausesOf, patternsOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** By the form of a claim that has parts, what `**` lets in besides by crossing from one into the next. */
const BESIDES: ReadonlyMap<ClaimForm | undefined, (pattern: Pattern) => string> = new Map([
  ["ref", besidesRef],
  ["workflow", besidesFile],
  ["repository", () => "repositories of other owners"],
])

/** Finds `**` where a pattern lets in, and one more part of the value would be let in than is meant. */
export function* doubleStars(subject: Subject): Generator<Warning> {
  const { set, sources } = subject
  for (const clause of clausesOf(set)) {
    for (const { claim, test } of clause.conditions) {
      const besides = BESIDES.get(claimFact("github-actions", claim)?.form)
      if (besides === undefined || !letsIn(clause, test.kind)) continue
      for (const [index, pattern] of patternsOf({ test }).entries()) {
        if (!crosses(pattern, claim)) continue
        const at = sources.patternAt(clause.file, [...clause.path, claim], index)
        const message = `** crosses every separator: in ${clause.whose}, ${JSON.stringify(pattern.source)} also takes ${besides(pattern)}. Write * for one part, or the values out.`
        yield warn(clause.file, at, "double_star", message)
      }
    }
  }
  yield* inEntries(subject)
}

function besidesRef({ prefix }: Pattern): string {
  if (prefix.startsWith("refs/heads/")) {
    return `branches with further slashes, such as ${prefix}x/y, which a branch protection rule for ${prefix.slice("refs/heads/".length)}* leaves unprotected`
  }
  return prefix.startsWith("refs/tags/")
    ? "tags with further slashes"
    : "branches, tags and the merge refs of pull requests alike"
}

function besidesFile({ source, steps }: Pattern): string {
  const [file = "", ref] = source.split("@")
  if (ref === undefined) return "every file behind it, as any branch, tag or pull request has it"
  const isFileFixed = !file.includes("*")
  const refs = steps.includes("anything") && ref.includes("**")
  const wide = refs ? "the file as any branch, tag or pull request has it, which any writer can change there" : ""
  return isFileFixed ? wide : `other repositories' and folders' files${wide && `, and ${wide}`}`
}

/** A deny may be as wide as it likes; it is what it leaves out by `not` that it lets in. */
function letsIn({ part }: Clause, kind: "any" | "none" | "present"): boolean {
  return kind === (part === "deny" ? "none" : "any")
}

function crosses(pattern: Pattern, claim: string): boolean {
  if (!pattern.steps.includes("anything")) return false
  // A repository has one slash: behind the owner there is nothing left to cross.
  return !(claim === "repository" && pattern.prefix.includes("/"))
}

function* inEntries({ set, sources }: Subject): Generator<Warning> {
  for (const [index, { name, file, allow }] of set.organisation.boundaries.entries()) {
    for (const [number, { fields }] of allow.entries()) {
      for (const { path, pattern, position } of patternsIn(fields, ["boundaries", index, "allow", number])) {
        // Alone, it says that the field may be anything as long as it is there, and can hardly be meant otherwise.
        if (pattern.source === "**" || !pattern.steps.includes("anything")) continue
        const field = String(path.at(-1))
        const message = `** crosses every separator: the boundary ${JSON.stringify(name)} allows each ${field} that begins with ${JSON.stringify(pattern.prefix)}, whatever path, account or host follows. Write * for one part, or the values out.`
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
