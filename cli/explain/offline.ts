import type { Claims, Identity } from "../../broker/core/identity.ts"
import { type Decision, decide } from "../../broker/core/policy/decide.ts"
import { visible } from "../../broker/core/policy/faults.ts"
import type { IssuerConfig, PolicySet } from "../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { FAMILIES } from "../../broker/issuers/families.ts"
import type { ErrorCode } from "../../broker/wire/error-codes.ts"
import type { Trace } from "../../broker/wire/trace.ts"

export interface OfflineDecision {
  readonly decision: "allow" | "deny"
  readonly code: "allowed" | ErrorCode
  readonly trace: Trace | null
  /** What a live broker knows besides, where it matters. */
  readonly notes: readonly string[]
}

/** What these policies give to a job with these claims; a sentence when no job can have such claims. */
export function decideOffline(
  set: PolicySet,
  claims: Claims,
  grants: readonly string[],
  ttlSeconds: number | undefined,
): Result<OfflineDecision, string> {
  const { iss } = claims
  if (typeof iss !== "string") return fail("the claims name no issuer: iss is missing, or not a text")
  const issuer = [...set.organisation.issuers.values()].find(({ url }) => url === iss)
  if (issuer === undefined) {
    const note = `The organisation file lists no issuer ${visible(JSON.stringify(iss))}: the broker takes no token of it.`
    return ok({ decision: "deny", code: "token_issuer_unknown", trace: null, notes: [note] })
  }
  const identity = identify(claims, issuer)
  if (!identity.ok) return identity
  const decision = decide({
    organisation: set.organisation,
    policies: set.policiesOf(identity.value),
    identity: identity.value,
    grants,
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  })
  const { outcome, trace } = decision
  const code = outcome === "allow" ? "allowed" : decision.code
  return ok({ decision: outcome, code, trace, notes: notesOn(decision, issuer) })
}

function identify(claims: Claims, issuer: IssuerConfig): Result<Identity, string> {
  const family = FAMILIES.get(issuer.family)
  if (family === undefined) return fail(`this version knows no issuer family ${issuer.family}`)
  const missing = family.requiredStrings.filter((name) => typeof claims[name] !== "string")
  if (missing.length > 0) return fail(`the claims lack, or have as other than a text: ${missing.join(", ")}`)
  return family.identify(claims, issuer)
}

function notesOn(decision: Decision, issuer: IssuerConfig): string[] {
  const notes: string[] = []
  if (decision.outcome === "allow" && decision.requireBoundToken) {
    notes.push("Given to key-bound subject tokens only, as the action sends them.")
  }
  if (decision.outcome === "deny" && decision.awaitsProtection) {
    notes.push(
      "Everything else allows it: how the environment is protected is all that stands in the way, and only its host knows that. A broker asks.",
    )
  }
  if (issuer.repositoryPolicies) {
    notes.push(
      "Repositories of this issuer keep policies of their own, in .github/daypass/, which were not read here: a broker counts them too.",
    )
  }
  return notes
}
