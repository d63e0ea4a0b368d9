import type { Grant, Policy, PolicySet, Rule } from "../../broker/core/policy/model.ts"
import { Replayer } from "./replay.ts"
import type { RunGroup, Runs } from "./runs.ts"

/** How recorded runs used one allow rule. */
export interface RuleUse {
  exchanges: number
  /** Grants that the rule gave. */
  readonly grants: Set<string>
  /** Claim -> value -> in how many exchanges. */
  readonly seen: Map<string, Map<string, number>>
  /** Claims that some of these runs did not have, or that are not known: nothing may be demanded of them. */
  readonly missing: Set<string>
  /** The record does not say enough to know whether the rule gave something: it must stay as it is. */
  isOpen: boolean
}

export interface Usage {
  /** By file and line. */
  readonly rules: ReadonlyMap<string, RuleUse>
  /** Grants that were given, by file and name. */
  readonly grants: ReadonlySet<string>
  /** Exchanges that got something then and would get nothing by this set. */
  readonly refused: number
  /** The groups that this set gives something: no tightening may refuse them. */
  readonly given: readonly RunGroup[]
}

export const placeKey = ({ file, line }: Pick<Rule, "file" | "line">): string => `${file}:${line}`
export const grantKey = (file: string, grant: string): string => `${file}\n${grant}`

/** Which rules and grants of a set gave what recorded runs got. */
export function usageOf(set: PolicySet, runs: Runs): Usage {
  const replayer = new Replayer(set)
  const rules = new Map<string, RuleUse>()
  const grants = new Set<string>()
  const given: RunGroup[] = []
  let refused = 0
  for (const group of runs.groups) {
    if (group.recorded !== "allowed") continue
    const found = replayer.replay(group)
    if (found.outcome === "deny") {
      refused += group.exchanges
      continue
    }
    given.push(group)
    const { policies, grants: traced } = found.trace
    for (const { name, rules: about } of traced) {
      for (const { file, grants: defined } of set.policies) {
        if (defined.has(name) && policies.includes(file)) grants.add(grantKey(file, name))
      }
      for (const { kind, matched, file, line } of about) {
        if (kind !== "allow" || !matched) continue
        const key = placeKey({ file, line })
        const use = rules.get(key) ?? newUse()
        rules.set(key, use)
        use.grants.add(name)
        use.isOpen ||= found.outcome === "unknown"
      }
    }
    const matching = new Set(
      traced.flatMap(({ rules: about }) =>
        about.filter(({ kind, matched }) => kind === "allow" && matched).map(placeKey),
      ),
    )
    for (const key of matching) note(rules.get(key) ?? newUse(), group)
  }
  return { rules, grants, refused, given }
}

/** Grants of a policy that no recorded run got. A rule of which the record says too little keeps all its grants. */
export function unusedGrants({ file, allow, grants }: Policy, { rules, grants: given }: Usage): readonly Grant[] {
  const open = new Set(
    allow.flatMap((rule) => (rules.get(placeKey(rule))?.isOpen && rule.grants !== "all" ? [...rule.grants] : [])),
  )
  return [...grants.values()].filter(({ name }) => !given.has(grantKey(file, name)) && !open.has(name))
}

const newUse = (): RuleUse => ({ exchanges: 0, grants: new Set(), seen: new Map(), missing: new Set(), isOpen: false })

/** Values of all claims that the record has: also of those that the rule does not read yet. */
function note(use: RuleUse, { claims, exchanges }: RunGroup): void {
  for (const claim of use.seen.keys()) if (typeof claims.get(claim) !== "string") use.missing.add(claim)
  for (const [claim, value] of claims) {
    // Seen for the first time after other runs: those did not have it.
    if (use.exchanges > 0 && !use.seen.has(claim)) use.missing.add(claim)
    if (value === null) use.missing.add(claim)
    const values = use.seen.get(claim) ?? new Map<string, number>()
    use.seen.set(claim, values)
    for (const text of value === null ? [] : new Set([value].flat()))
      values.set(text, (values.get(text) ?? 0) + exchanges)
  }
  use.exchanges += exchanges
}
