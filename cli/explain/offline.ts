import type { Claims } from "../../broker/core/identity.ts"
import { type Decision, decide } from "../../broker/core/policy/decide.ts"
import { visible } from "../../broker/core/policy/faults.ts"
import type { IssuerConfig, PolicySet } from "../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { identityIn } from "../../broker/issuers/families.ts"
import type { ErrorCode } from "../../broker/wire/error-codes.ts"
import type { Trace } from "../../broker/wire/trace.ts"

export interface OfflineDecision {
  readonly decision: "allow" | "deny"
  readonly code: "allowed" | ErrorCode
  readonly trace: Trace | null
  /** What only a live broker can know, where it affects the answer. */
  readonly notes: readonly string[]
}

/** What these policies give to a job with these claims. The fault is a sentence: why no job can have such claims. */
export function decideOffline(
  set: PolicySet,
  claims: Claims,
  grants: readonly string[],
  ttlSeconds: number | undefined,
): Result<OfflineDecision, string> {
  const { iss } = claims
  if (typeof iss !== "string") return fail("the claim iss is missing or not a string: it names the issuer")
  const issuer = [...set.organisation.issuers.values()].find(({ url }) => url === iss)
  if (issuer === undefined) {
    const note = `The organisation file lists no issuer with the URL ${visible(JSON.stringify(iss))}, so the broker refuses its tokens.`
    return ok({ decision: "deny", code: "token_issuer_unknown", trace: null, notes: [note] })
  }
  const identity = identityIn(claims, issuer)
  if (!identity.ok) return identity
  const policies = set.policiesOf(identity.value)
  const decision = decide({
    organisation: set.organisation,
    policies,
    identity: identity.value,
    grants,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  })
  const { outcome, trace } = decision
  const code = outcome === "allow" ? "allowed" : decision.code
  const applying = policies.filter(({ file }) => trace.policies.includes(file))
  const breakGlass = grants.filter((name) => applying.some((policy) => policy.grants.get(name)?.breakGlass))
  return ok({ decision: outcome, code, trace, notes: notesOn(decision, issuer, breakGlass) })
}

/** `breakGlass`: the names of the requested grants that demand approvals. */
function notesOn(decision: Decision, issuer: IssuerConfig, breakGlass: readonly string[]): string[] {
  const notes: string[] = []
  if (decision.outcome === "allow" && decision.requireBoundToken) {
    notes.push("The broker gives it only to key-bound subject tokens. The action sends such tokens.")
  }
  if (decision.outcome === "deny" && decision.awaitsProtection) {
    notes.push(
      "Everything else allows it. It depends only on how the environment is protected, which only its host knows. A broker asks the host.",
    )
  }
  if (decision.outcome === "deny" && decision.awaitsProtection && breakGlass.length > 0) {
    notes.push(`It depends on who approved the run, too, because of break_glass: ${breakGlass.join(", ")}.`)
  }
  if (issuer.repositoryPolicies) {
    notes.push(
      "Repositories of this issuer keep policies of their own in .github/daypass/. These were not read here. A broker reads them too.",
    )
  }
  return notes
}
