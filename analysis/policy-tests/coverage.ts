import type { Decision } from "../../broker/core/policy/decide.ts"
import type { Grant, PolicySet, Rule } from "../../broker/core/policy/model.ts"
import { decidingRules } from "./deciders.ts"

/** The rules and grants of a folder, and which of them tests have exercised; in the folder's order. */
export interface Coverage {
  /** An `allow` is exercised when it gave a grant to a job, a `deny` when it refused a grant to a job. */
  readonly rules: readonly RuleCoverage[]
  readonly grants: readonly GrantCoverage[]
}

export interface RuleCoverage extends Pick<Rule, "kind" | "name" | "file" | "line"> {
  readonly exercised: boolean
}

export interface GrantCoverage extends Pick<Grant, "name" | "file" | "line"> {
  readonly granted: boolean
}

/** The share of exercised rules in whole percent, rounded down: 100 means all. 100 when there are no rules. */
export function coveragePercent({ rules }: Coverage): number {
  if (rules.length === 0) return 100
  return Math.floor((rules.filter(({ exercised }) => exercised).length * 100) / rules.length)
}

export interface CoverageCount {
  /** Counts a passed test. `outcome` is the broker's answer: a job that policies allow is still refused without a bound key. */
  add(decision: Decision, outcome: "allow" | "deny", offered: ReadonlySet<string>): void
  coverage(): Coverage
}

/** Starts counting, with nothing exercised. */
export function countCoverage(set: PolicySet): CoverageCount {
  const exercised = new Set<string>()
  const granted = new Set<string>()
  return {
    add(decision, outcome, offered) {
      if (decision.outcome !== outcome) return
      for (const grant of decision.trace.grants) {
        if (grant.outcome !== outcome) continue
        for (const rule of decidingRules(grant, offered)) exercised.add(keyOf(rule))
      }
      if (decision.outcome === "allow") for (const { grant } of decision.grants) granted.add(keyOf(grant))
    },
    coverage: () => ({
      rules: set.policies.flatMap(({ allow, deny }) =>
        [...allow, ...deny].map((rule) => {
          const { kind, name, file, line } = rule
          return { kind, name, file, line, exercised: exercised.has(keyOf(rule)) }
        }),
      ),
      grants: set.policies.flatMap(({ grants }) =>
        [...grants.values()].map((grant) => {
          const { name, file, line } = grant
          return { name, file, line, granted: granted.has(keyOf(grant)) }
        }),
      ),
    }),
  }
}

/** Unique: within a file, names of rules and of grants are unique. */
const keyOf = ({ file, name }: Pick<Rule, "file" | "name">) => `${file}\n${name}`
