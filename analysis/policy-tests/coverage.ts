import type { Decision } from "../../broker/core/policy/decide.ts"
import type { Grant, PolicySet, Rule } from "../../broker/core/policy/model.ts"
import { decidingRules } from "./deciders.ts"

/** Which parts of a folder's policies tests have shown to do something, in the folder's order. */
export interface Coverage {
  /** An `allow` is exercised when a job got something through it, a `deny` when it refused a job something. */
  readonly rules: readonly RuleCoverage[]
  readonly grants: readonly GrantCoverage[]
}

export interface RuleCoverage extends Pick<Rule, "kind" | "name" | "file" | "line"> {
  readonly exercised: boolean
}

export interface GrantCoverage extends Pick<Grant, "name" | "file" | "line"> {
  readonly granted: boolean
}

/** The exercised part of all rules in whole percent, rounded down, so that 100 means all; 100 when there are none. */
export function coveragePercent({ rules }: Coverage): number {
  if (rules.length === 0) return 100
  return Math.floor((rules.filter(({ exercised }) => exercised).length * 100) / rules.length)
}

export interface CoverageCount {
  /** Counts what a test has shown. `outcome` is the job's: an allowed job can still lack a key to be given anything. */
  add(decision: Decision, outcome: "allow" | "deny", offered: ReadonlySet<string>): void
  coverage(): Coverage
}

/** Begins to count, with nothing exercised. */
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

/** Unique: a file names no rule and no grant twice. */
const keyOf = ({ file, name }: Pick<Rule, "file" | "name">) => `${file}\n${name}`
