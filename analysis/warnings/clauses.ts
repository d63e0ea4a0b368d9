import { memoized } from "../../broker/core/memoized.ts"
import type { Condition, Test } from "../../broker/core/policy/condition.ts"
import type { Boundary, Policy, PolicySet } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"
import type { YamlPath } from "../../broker/core/policy/yaml.ts"

/** Conditions that must all match: those of a rule, of a limit, or the `when` or `require` of a boundary. */
export interface Clause {
  readonly part: "allow" | "deny" | "when" | "require" | "limit"
  readonly conditions: readonly Condition[]
  readonly file: string
  /** The path to the map of conditions. */
  readonly path: YamlPath
  /** The rule, boundary or limit that has these conditions, for messages: `the allow "deploy"`. */
  readonly whose: string
  /** The policy that contains the rule; absent in the organisation file. */
  readonly policy?: Policy
  /** In the organisation file: the conditions that say which jobs it is about. Empty for rules. */
  readonly about: readonly Condition[]
}

/** The clauses of all policies, boundaries and limits, in the set's order. A dozen finders read those of one set. */
export const clausesOf: (set: Pick<PolicySet, "organisation" | "policies">) => readonly Clause[] = memoized(
  (set) => [...clausesIn(set)],
  new WeakMap(),
)

function* clausesIn({ organisation, policies }: Pick<PolicySet, "organisation" | "policies">): Generator<Clause> {
  for (const [index, boundary] of organisation.boundaries.entries()) yield* clausesOfBoundary(boundary, index)
  for (const [index, { file, line, when }] of organisation.limits.entries()) {
    const whose = `the limit in line ${line}`
    yield { part: "limit", conditions: when, file, path: ["limits", index, "when"], whose, about: when }
  }
  for (const policy of policies) yield* clausesOfPolicy(policy)
}

/** The clauses of a policy's rules. */
export function* clausesOfPolicy(policy: Policy): Generator<Clause> {
  for (const kind of ["allow", "deny"] as const) {
    for (const [index, { conditions, file, name }] of policy[kind].entries()) {
      const whose = `the ${kind} ${JSON.stringify(name)}`
      yield { part: kind, conditions, file, path: [kind, index, "when"], whose, policy, about: [] }
    }
  }
}

function* clausesOfBoundary({ name, file, when, require }: Boundary, index: number): Generator<Clause> {
  const whose = `the boundary ${JSON.stringify(name)}`
  yield { part: "when", conditions: when, file, path: ["boundaries", index, "when"], whose, about: when }
  yield { part: "require", conditions: require, file, path: ["boundaries", index, "require"], whose, about: when }
}

/** The patterns of a condition; empty for one that tests presence only. */
export const patternsOf = ({ test }: { readonly test: Test }): readonly Pattern[] =>
  test.kind === "present" ? [] : test.patterns

/** Whether a condition lists its exact values, without a wildcard. */
export const isPinned = ({ test }: Condition): boolean =>
  test.kind === "any" && test.patterns.every(({ literal }) => literal !== null)
