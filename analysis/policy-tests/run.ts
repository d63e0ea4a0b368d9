import { formatDuration } from "../../broker/core/duration.ts"
import type { Identity } from "../../broker/core/identity.ts"
import { type Decision, decide } from "../../broker/core/policy/decide.ts"
import { quote } from "../../broker/core/policy/faults.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { GrantTrace, Trace } from "../../broker/wire/trace.ts"
import { type Coverage, type CoverageCount, countCoverage } from "./coverage.ts"
import { deciders } from "./deciders.ts"
import type { Identify, PolicyTest } from "./model.ts"
import type { DenialCode } from "./schema.ts"

/** What the broker would answer. */
export interface Decided {
  readonly outcome: "allow" | "deny"
  readonly code: "allowed" | DenialCode
  /** Sentences: why each grant with this outcome was given or refused. */
  readonly reasons: readonly string[]
  /** Names of the rules and boundaries that decided. */
  readonly by: readonly string[]
  /** The shortest lifetime among the grants; absent when denied. */
  readonly ttlSeconds?: number
  /** Null when the claims do not give a valid identity. */
  readonly trace: Trace | null
}

export interface PolicyTestResult {
  readonly test: PolicyTest
  readonly passed: boolean
  /** Sentences: where the result differs from what the test expects. Empty when the test passed. */
  readonly failures: readonly string[]
  readonly decided: Decided
}

export interface PolicyTestReport {
  /** In the order of the tests. */
  readonly results: readonly PolicyTestResult[]
  /** Counts passed tests only: a failed test proves nothing about a rule. */
  readonly coverage: Coverage
}

/** Runs tests against the folder that they were read with. The broker's own code decides. Pure; never throws. */
export function runPolicyTests(set: PolicySet, tests: readonly PolicyTest[], identify: Identify): PolicyTestReport {
  const count = countCoverage(set)
  const results = tests.map((test) => runOne(set, test, identify, count))
  return { results, coverage: count.coverage() }
}

function runOne(set: PolicySet, test: PolicyTest, identify: Identify, count: CoverageCount): PolicyTestResult {
  const identity = identityOf(set, test, identify)
  if ("code" in identity) return { test, ...judged(test, { ...identity, outcome: "deny", by: [], trace: null }) }

  const { grants, ttlSeconds, protection, approvals } = test
  const decision = decide({
    organisation: set.organisation,
    policies: set.policiesOf(identity),
    identity,
    grants,
    protection,
    approvals,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  })
  const offered = offeredTo(set, identity, decision)
  const decided = decidedOf(decision, test.bound, offered)
  const judgement = judged(test, decided)
  if (judgement.passed) count.add(decision, decided.outcome, offered)
  return { test, ...judgement }
}

/** The names of the grants that the job's policies define. A rule cannot give any other grant. */
function offeredTo(set: PolicySet, identity: Identity, { trace }: Decision): ReadonlySet<string> {
  const applying = set.policiesOf(identity).filter(({ file }) => trace.policies.includes(file))
  return new Set(applying.flatMap((policy) => [...policy.grants.keys()]))
}

/** The identity that the broker reads from a test's claims; or the code with which it refuses the token, and the reason. */
function identityOf(
  { organisation }: PolicySet,
  { claims }: PolicyTest,
  identify: Identify,
): Identity | Pick<Decided, "code" | "reasons"> {
  const no = (code: DenialCode, reason: string) => ({ code, reasons: [reason] })
  const issuer = [...organisation.issuers.values()].find(({ url }) => url === claims["iss"])
  if (!issuer)
    return no(
      "token_issuer_unknown",
      `The organisation file lists no issuer with the URL ${quote(String(claims["iss"] ?? ""))}, which is the claim iss.`,
    )
  const identity = identify(claims, issuer)
  return identity.ok
    ? identity.value
    : no("token_claims_invalid", `The claims of the token are not valid: ${identity.fault}.`)
}

function decidedOf(decision: Decision, bound: boolean, offered: ReadonlySet<string>): Decided {
  const { trace, outcome } = decision
  const about = trace.grants.filter((grant) => grant.outcome === outcome)
  const by = [...new Set(about.flatMap((grant) => deciders(grant, offered)))]
  const reasons = about.map(sentenceOf)
  if (decision.outcome === "deny") return { outcome, code: decision.code, reasons, by, trace }
  if (decision.requireBoundToken && !bound) {
    const reason = "The policies allow it, but only with a token that is bound to a key of the job."
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
      outcome === "allow"
        ? "Expected deny, but the job is allowed."
        : `Expected allow, but the job is denied (${code}).`,
    )
  } else {
    if (expected.code !== undefined && expected.code !== code) {
      failures.push(`Expected the code ${expected.code}, but the code is ${code}.`)
    }
    if (expected.code === undefined && (code === "token_claims_invalid" || code === "token_issuer_unknown")) {
      failures.push(
        `The broker refuses such a token before it reads any policy. Correct the claims, or expect this with code: ${code}.`,
      )
    }
    if (expected.by !== undefined && !by.includes(expected.by)) {
      const others =
        by.length === 0 ? "no rule or boundary decided" : `it was decided by ${by.map(quote).join(" and ")}`
      failures.push(`Expected the decision by ${quote(expected.by)}, but ${others}.`)
    }
    if (expected.ttlSeconds !== undefined && decided.trace) {
      const wrong = decided.trace.grants.filter(({ ttl_seconds: ttl }) => ttl !== expected.ttlSeconds)
      for (const { name, ttl_seconds: ttl } of wrong) {
        const granted = formatDuration(ttl ?? ttlSeconds ?? 0)
        failures.push(`Expected ${name} for ${formatDuration(expected.ttlSeconds)}, but the lifetime is ${granted}.`)
      }
    }
  }
  return { passed: failures.length === 0, failures, decided }
}
