import { requiredClaims } from "../../core/claims/families.ts"
import type { Claims, Identity } from "../../core/identity.ts"
import type { IssuerConfig } from "../../core/policy/model.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import type { IssuerFamily } from "../family.ts"
import { faultOfSubject } from "./subject.ts"

/**
 * GitHub Actions: github.com, an enterprise's own issuer URL, GitHub Enterprise Server and ghe.com.
 *
 * Their tokens differ in the issuer's URL and in what older servers leave out (`check_run_id`, `enterprise`,
 * `repo_property_*`, ...), so only the claims that an identity is made of are required. A condition on any other claim
 * fails closed when the claim is missing.
 *
 * An enterprise's own issuer URL has a path, while its keys stay at the root of the same host: the discovery document
 * says so, and is believed as long as it stays on that host.
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

/** No leading zero: an id has one spelling, because policies and leases compare ids as text. */
const ID = /^[1-9][0-9]{0,19}$/

/** ASCII only: a look-alike letter from another script must not pass for a name that people know. */
const REPOSITORY = /^([A-Za-z0-9_-]{1,100})\/([A-Za-z0-9._-]{1,100})$/

function identify(claims: Claims, issuer: IssuerConfig): Result<Identity, string> {
  for (const name of ID_CLAIMS) {
    if (!ID.test(text(claims, name))) return fail(`the claim ${name} is not an id in decimal digits`)
  }
  for (const name of NEVER_EMPTY) {
    if (text(claims, name) === "") return fail(`the claim ${name} is empty`)
  }

  const repository = REPOSITORY.exec(text(claims, "repository"))
  const [, owner, name] = repository ?? []
  if (owner === undefined || name === "." || name === "..") {
    return fail("the claim repository is not an owner and a name in ASCII, as in acme/shop")
  }
  if (owner !== claims["repository_owner"]) {
    return fail("the claims repository and repository_owner name two different owners")
  }

  const environment = claims["environment"]
  if (environment !== undefined && (typeof environment !== "string" || environment === "")) {
    // A job without an environment has no such claim. Read as "none", an empty one would reach the policies for jobs
    // without an environment, which no protection rule guards; so whatever it means, it does not mean that.
    return fail("the claim environment is there but is not a name")
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

/** A claim of `requiredStrings`, which verification has found to be a string. */
function text(claims: Claims, name: string): string {
  const value = claims[name]
  return typeof value === "string" ? value : ""
}
