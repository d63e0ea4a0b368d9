import { requiredClaims } from "../../core/families/families.ts"
import { GITHUB_ACTIONS } from "../../core/families/github-actions.ts"
import type { Claims } from "../../core/identity.ts"
import { faultOfEmpty, faultOfIds, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"
import { faultOfSubject } from "./subject.ts"

/**
 * GitHub Actions: github.com, an enterprise's own issuer URL, GitHub Enterprise Server and ghe.com.
 *
 * Their tokens differ in the issuer's URL, and older servers leave out some claims (`check_run_id`, `enterprise`,
 * `repo_property_*`, ...). So only the claims of an identity are required. A condition on any other claim fails closed when
 * the claim is missing.
 *
 * An enterprise's own issuer URL has a path, but its keys are at the root of the same host. The discovery document says
 * where; it is trusted as long as it stays on that host.
 */
export const githubActions: IssuerFamily = {
  facts: GITHUB_ACTIONS,
  algorithms: ["RS256"],
  keys: { by: "discovery" },
  check: faultOfRepository,
}

const ID_CLAIMS = requiredClaims(GITHUB_ACTIONS, "digits")

/** Only ASCII, so that a look-alike letter of another script cannot imitate a known name. */
const REPOSITORY = /^([A-Za-z0-9_-]{1,100})\/([A-Za-z0-9._-]{1,100})$/

function faultOfRepository(claims: Claims): string | null {
  const fault = faultOfIds(claims, ID_CLAIMS) ?? faultOfEmpty(claims, "event_name", "actor")
  if (fault !== null) return fault
  const [, owner, name] = REPOSITORY.exec(text(claims, "repository")) ?? []
  if (owner === undefined || name === "." || name === "..") {
    return "the claim repository must be an owner and a name in ASCII, such as acme/shop"
  }
  if (owner !== claims["repository_owner"]) {
    return "the claims repository and repository_owner name two different owners"
  }
  return faultOfSubject(text(claims, "sub"), claims)
}
