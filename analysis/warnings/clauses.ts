import type { Condition, Test } from "../../broker/core/policy/condition.ts"
import type { Boundary, Policy, PolicySet } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"
import type { YamlPath } from "../../broker/core/policy/yaml.ts"

/** Conditions that hold together: a rule's, or those of a boundary. */
export interface Clause {
  readonly part: "allow" | "deny" | "when" | "require"
  readonly conditions: readonly Condition[]
  readonly file: string
  /** Leads to the map of conditions. */
  readonly path: YamlPath
  /** Whose conditions they are, for messages: `the allow "deploy"`. */
  readonly whose: string
  /** The policy whose rule it is; absent for a boundary's. */
  readonly policy?: Policy
}

/** The clauses of all policies and of all boundaries, in the set's order. */
export function* clausesOf({
  organisation,
  policies,
}: Pick<PolicySet, "organisation" | "policies">): Generator<Clause> {
  for (const [index, boundary] of organisation.boundaries.entries()) yield* clausesOfBoundary(boundary, index)
  for (const policy of policies) yield* clausesOfPolicy(policy)
}

/** The clauses of a policy's rules. */
export function* clausesOfPolicy(policy: Policy): Generator<Clause> {
  for (const kind of ["allow", "deny"] as const) {
    for (const [index, { conditions, file, name }] of policy[kind].entries()) {
      const whose = `the ${kind} ${JSON.stringify(name)}`
      yield { part: kind, conditions, file, path: [kind, index, "when"], whose, policy }
    }
  }
}

function* clausesOfBoundary({ name, file, when, require }: Boundary, index: number): Generator<Clause> {
  const whose = `the boundary ${JSON.stringify(name)}`
  yield { part: "when", conditions: when, file, path: ["boundaries", index, "when"], whose }
  yield { part: "require", conditions: require, file, path: ["boundaries", index, "require"], whose }
}

/** A condition's patterns; none of one that asks for presence only. */
export const patternsOf = ({ test }: { readonly test: Test }): readonly Pattern[] =>
  test.kind === "present" ? [] : test.patterns

/** Whether a condition is fulfilled by some of a few texts that are written out, and by no other. */
export const isPinned = ({ test }: Condition): boolean =>
  test.kind === "any" && test.patterns.every(({ literal }) => literal !== null)
