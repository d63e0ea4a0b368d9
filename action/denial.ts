import type { ConditionTrace, GrantTrace, RuleTrace, Trace } from "../broker/wire/trace.ts"

/** What a trace says about the denied grants. */
export interface Denial {
  /** What happened: the reason of each denied grant. Grants with the same reason share one sentence. */
  readonly message: string
  /** What to change, in the same way. */
  readonly change: string
}

/** Null when the trace does not say what to change, as that of an older broker, or when it denies nothing. */
export function denialOf({ grants }: Trace): Denial | null {
  const namesByReason = new Map<string, string[]>()
  const changes = new Set<string>()
  for (const { name, reason, change } of deniedIn(grants)) {
    if (change === undefined) return null
    namesByReason.set(reason, [...(namesByReason.get(reason) ?? []), name])
    changes.add(change)
  }
  if (changes.size === 0) return null
  const reasons = [...namesByReason].map(([reason, names]) => `${names.join(", ")}: ${reason}`)
  return { message: reasons.join(" "), change: [...changes].join(" ") }
}

/** A denial as the heading of a summary: what the first denied grant needs, and what this job has. */
export function denialHeading({ grants }: Trace): string | null {
  const [first, ...others] = deniedIn(grants)
  if (first === undefined) return null
  const rule = decidingRule(first)
  const misses = rule?.kind === "allow" ? rule.conditions.filter(({ matched }) => !matched) : []
  // A rule must name some events: the job has what is expected, so "needs" would not explain it.
  const isUnnamed = misses.some(({ expected, actual }) => expected.startsWith(`${actual}, `))
  const rest =
    others.length === 0 ? "" : `; ${others.length} more ${others.length === 1 ? "grant is" : "grants are"} denied`
  if (misses.length === 0 || isUnnamed) return `Denied: ${first.reason.replace(/\.$/, "")}${rest}`
  const needs = misses.map(({ claim, expected }) => `${claim} ${expected}`).join(" and ")
  return `Denied: ${first.name} needs ${needs}, and this job ${misses.map(stateOf).join(" and ")}${rest}`
}

/** The rule that decided against a grant: a deny that matches, otherwise the allow with the fewest unmet conditions. */
export function decidingRule({ rules }: GrantTrace): RuleTrace | undefined {
  const deny = rules.find(({ kind, matched }) => kind === "deny" && matched)
  const allows = rules.filter(({ kind }) => kind === "allow")
  if (deny !== undefined || allows.some(({ matched }) => matched)) return deny
  const missesOf = (rule: RuleTrace) => rule.conditions.filter(({ matched }) => !matched).length
  return allows.sort((a, b) => missesOf(a) - missesOf(b))[0]
}

/**
 * The line of a policy in the job's own repository, for an annotation there; null when the policy that decided is kept
 * elsewhere. A repository's own policies are in `.github/daypass/`, and the broker names their path in the repository.
 */
export function ownPolicyLine(trace: Trace | undefined, detail: string): { file: string; line: number } | null {
  for (const grant of deniedIn(trace?.grants ?? [])) {
    const rule = decidingRule(grant)
    if (rule !== undefined && OWN_FILE.test(rule.file) && rule.line > 0) return { file: rule.file, line: rule.line }
  }
  const [, file, line] =
    /(?:^|[ (])(\.github\/daypass\/[A-Za-z0-9._/-]{1,200}):([1-9][0-9]{0,5})(?=[:,) ])/.exec(detail) ?? []
  return file !== undefined && OWN_FILE.test(file) ? { file, line: Number(line) } : null
}

const OWN_FILE = /^\.github\/daypass\/(?!.*\.\.)[A-Za-z0-9._/-]{1,200}$/

const deniedIn = (grants: readonly GrantTrace[]) => grants.filter(({ outcome }) => outcome === "deny")

function stateOf({ claim, actual }: ConditionTrace): string {
  if (actual === null) return `has no ${claim}`
  return claim === "ref" ? `runs on ${actual}` : `has ${claim} ${actual === "" ? '""' : actual}`
}
