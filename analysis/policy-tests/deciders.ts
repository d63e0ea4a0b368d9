import type { BoundaryTrace, GrantTrace, RuleTrace } from "../../broker/wire/trace.ts"

/** The rules that are why a grant was given or refused: every `allow` that let it pass, or every `deny` that did not. */
export function decidingRules(
  { name, outcome, rules }: GrantTrace,
  offered: ReadonlySet<string>,
): readonly RuleTrace[] {
  // Nobody offers it: it is refused before any rule is asked.
  if (!offered.has(name)) return []
  return rules.filter(({ kind, matched }) => matched && kind === outcome)
}

/** Names of the rules and boundaries that are why a grant was given or refused. */
export function deciders(grant: GrantTrace, offered: ReadonlySet<string>): readonly string[] {
  const rules = decidingRules(grant, offered)
  return [...rules, ...decidingBoundaries(grant)].map(({ name }) => name)
}

/** Boundaries are in the trace only where the rules allow. */
function decidingBoundaries({ outcome, boundaries = [] }: GrantTrace): readonly BoundaryTrace[] {
  if (outcome === "allow") return boundaries.filter(({ allows }) => allows)
  const noneAllows = !boundaries.some(({ allows }) => allows)
  return boundaries.filter(
    ({ required, environment }) => noneAllows || environment.length > 0 || required.some(({ matched }) => !matched),
  )
}
