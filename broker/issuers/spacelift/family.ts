import { SPACELIFT } from "../../core/families/spacelift.ts"
import type { Claims } from "../../core/identity.ts"
import { disagree, faultOfClosed, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * Spacelift: the token of a stack's run. Every account is an issuer of its own.
 *
 * Source: Spacelift's "OpenID Connect (OIDC)". A self-hosted installation can have its issuer and keys on another host.
 */
export const spacelift: IssuerFamily = {
  facts: SPACELIFT,
  algorithms: ["RS256"],
  keys: { by: "discovery" },
  check: (claims) =>
    faultOfCaller(claims) ?? faultOfClosed(SPACELIFT, claims, "runType", "scope") ?? faultOfSubject(claims),
}

/** A module's id can be a stack's id, too. */
function faultOfCaller(claims: Claims): string | null {
  if (claims["callerType"] === "stack") return null
  return "the claim callerType must be stack: runs of modules get nothing"
}

/** The standard subject repeats the claims. A customised one is not compared. */
function faultOfSubject(claims: Claims): string | null {
  const parts = /^space:(.+):(?:stack|module):([^:]+):run_type:([^:]+):scope:([^:]+)$/.exec(text(claims, "sub"))
  if (!parts) return null
  const named = ["spaceId", "callerId", "runType", "scope"] as const
  const wrong = named.find((name, index) => parts[index + 1] !== claims[name])
  return wrong === undefined ? null : disagree("sub", wrong)
}
