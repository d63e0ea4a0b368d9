import { formatDuration } from "../../broker/core/duration.ts"
import type { Identity } from "../../broker/core/identity.ts"
import { type Decision, decide } from "../../broker/core/policy/decide.ts"
import { quote } from "../../broker/core/policy/faults.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { GrantTrace, Trace } from "../../broker/wire/trace.ts"
import { type Coverage, type CoverageCount, countCoverage } from "./coverage.ts"
import { deciders } from "./deciders.ts"
import type { IdentifyingFamily, PolicyTest } from "./model.ts"
import type { DenialCode } from "./schema.ts"

/** What the broker would have answered. */
export interface Decided {
  readonly outcome: "allow" | "deny"
  readonly code: "allowed" | DenialCode
  /** Sentences: what decided, of each grant that the outcome is about. */
  readonly reasons: readonly string[]
  /** Names of the rules and boundaries that are why. */
  readonly by: readonly string[]
  /** The shortest lifetime among the grants; absent when denied. */
  readonly ttlSeconds?: number
  /** Null when no identity could be made of the claims. */
  readonly trace: Trace | null
}

export interface PolicyTestResult {
  readonly test: PolicyTest
  readonly passed: boolean
  /** What came out otherwise than expected, as sentences; empty when the test passed. */
  readonly failures: readonly string[]
  readonly decided: Decided
}

export interface PolicyTestReport {
  /** In the order of the tests. */
  readonly results: readonly PolicyTestResult[]
  /** By tests that passed: what a test did by mistake, it has not shown. */
  readonly coverage: Coverage
}

/** Runs tests against the folder that they were read with. Decided by the broker's own code; pure, never throws. */
export function runPolicyTests(
  set: PolicySet,
  tests: readonly PolicyTest[],
  families: ReadonlyMap<string, IdentifyingFamily>,
): PolicyTestReport {
  const count = countCoverage(set)
  const results = tests.map((test) => runOne(set, test, families, count))
  return { results, coverage: count.coverage() }
}

function runOne(
  set: PolicySet,
  test: PolicyTest,
  families: ReadonlyMap<string, IdentifyingFamily>,
  count: CoverageCount,
): PolicyTestResult {
  const identity = identityOf(set, test, families)
  if ("code" in identity) return { test, ...judged(test, { ...identity, outcome: "deny", by: [], trace: null }) }

  const { grants, ttlSeconds, protection } = test
  const decision = decide({
    organisation: set.organisation,
    policies: set.policiesOf(identity),
    identity,
    grants,
    protection,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  })
  const offered = offeredTo(set, identity, decision)
  const decided = decidedOf(decision, test.bound, offered)
  const judgement = judged(test, decided)
  if (judgement.passed) count.add(decision, decided.outcome, offered)
  return { test, ...judgement }
}

/** The names of the grants that the policies applying to a job define: no rule decides about any other. */
function offeredTo(set: PolicySet, identity: Identity, { trace }: Decision): ReadonlySet<string> {
  const applying = set.policiesOf(identity).filter(({ file }) => trace.policies.includes(file))
  return new Set(applying.flatMap((policy) => [...policy.grants.keys()]))
}

/** The identity that the broker makes of a test's claims, or with which code it refuses the token, and why. */
function identityOf(
  { organisation }: PolicySet,
  { claims }: PolicyTest,
  families: ReadonlyMap<string, IdentifyingFamily>,
): Identity | Pick<Decided, "code" | "reasons"> {
  const no = (code: DenialCode, reason: string) => ({ code, reasons: [reason] })
  const issuer = [...organisation.issuers.values()].find(({ url }) => url === claims["iss"])
  const family = issuer && families.get(issuer.family)
  if (!issuer || !family)
    return no(
      "token_issuer_unknown",
      `The organisation file lists no issuer with the iss ${quote(String(claims["iss"] ?? ""))}.`,
    )
  const missing = family.requiredStrings.filter((name) => typeof claims[name] !== "string")
  if (missing.length > 0) {
    return no(
      "token_claims_invalid",
      `Every token of issuer ${issuer.name} has these claims as texts, and this one lacks them: ${missing.join(", ")}.`,
    )
  }
  const identity = family.identify(claims, issuer)
  return identity.ok ? identity.value : no("token_claims_invalid", `The token's claims do not fit: ${identity.fault}.`)
}

function decidedOf(decision: Decision, bound: boolean, offered: ReadonlySet<string>): Decided {
  const { trace, outcome } = decision
  const about = trace.grants.filter((grant) => grant.outcome === outcome)
  const by = [...new Set(about.flatMap((grant) => deciders(grant, offered)))]
  const reasons = about.map(sentenceOf)
  if (decision.outcome === "deny") return { outcome, code: decision.code, reasons, by, trace }
  if (decision.requireBoundToken && !bound) {
    const reason = "The policies allow it, but only to tokens that are bound to a key of the job's."
    return { outcome: "deny", code: "bound_token_required", reasons: [reason], by: [], trace }
  }
  const ttlSeconds = Math.min(...decision.grants.map((granted) => granted.ttlSeconds))
  return { outcome, code: "allowed", reasons, by, ttlSeconds, trace }
}

const sentenceOf = ({ name, reason }: GrantTrace) => `${name}: ${reason}`

function judged({ expected }: PolicyTest, decided: Decided): Omit<PolicyTestResult, "test"> {
  const failures: string[] = []
  const { outcome, code, by, ttlSeconds } = decided
  if (outcome !== expected.outcome) {
    failures.push(
      outcome === "allow" ? "Expected deny, and it is allowed." : `Expected allow, and it is denied (${code}).`,
    )
  } else {
    if (expected.code !== undefined && expected.code !== code) {
      failures.push(`Expected the code ${expected.code}, and it is ${code}.`)
    }
    if (expected.code === undefined && (code === "token_claims_invalid" || code === "token_issuer_unknown")) {
      failures.push(`No policy was asked: no such token exists. Correct the claims, or expect it with code: ${code}.`)
    }
    if (expected.by !== undefined && !by.includes(expected.by)) {
      const others = by.length === 0 ? "no rule and no boundary" : by.map(quote).join(" and ")
      failures.push(`Expected it by ${quote(expected.by)}, and it is by ${others}.`)
    }
    if (expected.ttlSeconds !== undefined && decided.trace) {
      const wrong = decided.trace.grants.filter(({ ttl_seconds: ttl }) => ttl !== expected.ttlSeconds)
      for (const { name, ttl_seconds: ttl } of wrong) {
        const granted = formatDuration(ttl ?? ttlSeconds ?? 0)
        failures.push(`Expected ${name} for ${formatDuration(expected.ttlSeconds)}, and it is for ${granted}.`)
      }
    }
  }
  return { passed: failures.length === 0, failures, decided }
}
