import { requiredClaims } from "../../core/claims/families.ts"
import type { Claims, Identity } from "../../core/identity.ts"
import type { IssuerConfig } from "../../core/policy/model.ts"
import { fail, ok, type Result } from "../../core/result.ts"
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
  name: "github-actions",
  algorithms: ["RS256"],
  maxTokenLifetimeSeconds: 600,
  sendsJti: true,
  keys: { by: "discovery" },
  requiredStrings: requiredClaims("github-actions"),
  identify,
}

const ID_CLAIMS = requiredClaims("github-actions", "digits")
const NEVER_EMPTY = ["event_name", "actor"] as const

/** No leading zero: an id must have only one spelling, because policies and leases compare ids as text. */
const ID = /^[1-9][0-9]{0,19}$/

/** Only ASCII, so that a look-alike letter of another script cannot imitate a known name. */
const REPOSITORY = /^([A-Za-z0-9_-]{1,100})\/([A-Za-z0-9._-]{1,100})$/

function identify(claims: Claims, issuer: IssuerConfig): Result<Identity, string> {
  for (const name of ID_CLAIMS) {
    if (!ID.test(text(claims, name))) return fail(`the claim ${name} must be an id in decimal digits`)
  }
  for (const name of NEVER_EMPTY) {
    if (text(claims, name) === "") return fail(`the claim ${name} must not be empty`)
  }

  const repository = REPOSITORY.exec(text(claims, "repository"))
  const [, owner, name] = repository ?? []
  if (owner === undefined || name === "." || name === "..") {
    return fail("the claim repository must be an owner and a name in ASCII, such as acme/shop")
  }
  if (owner !== claims["repository_owner"]) {
    return fail("the claims repository and repository_owner name two different owners")
  }

  const environment = claims["environment"]
  if (environment !== undefined && (typeof environment !== "string" || environment === "")) {
    // A job without an environment has no such claim. An empty claim must not count as "no environment": it would match the
    // policies for jobs without an environment, which no protection rule guards.
    return fail("the claim environment must be a name, or be left out")
  }

  const fault = faultOfSubject(text(claims, "sub"), claims)
  if (fault !== null) return fail(fault)

  return ok({
    issuer: issuer.name,
    issuerUrl: issuer.url,
    repository: text(claims, "repository"),
    repositoryId: text(claims, "repository_id"),
    owner,
    ownerId: text(claims, "repository_owner_id"),
    ...(environment === undefined ? {} : { environment }),
    ref: text(claims, "ref"),
    refType: text(claims, "ref_type"),
    event: text(claims, "event_name"),
    actor: text(claims, "actor"),
    runId: text(claims, "run_id"),
    runAttempt: text(claims, "run_attempt"),
    claims,
  })
}

/** A claim of `requiredStrings`. `verify.ts` has already checked that it is a string. */
function text(claims: Claims, name: string): string {
  const value = claims[name]
  return typeof value === "string" ? value : ""
}
