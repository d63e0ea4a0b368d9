import { FORGEJO } from "../../core/families/forgejo.ts"
import type { Claims } from "../../core/identity.ts"
import { faultOfIds, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"
import { faultOfSubject } from "./subject.ts"

/**
 * Forgejo Actions. The issuer is `https://HOST/api/actions`, and the keys are below it: at `/.well-known/keys`, which its
 * discovery document names.
 */
export const forgejo: IssuerFamily = {
  facts: FORGEJO,
  algorithms: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"],
  keys: { by: "discovery" },
  check: faultOfRepository,
}

const ID_CLAIMS = ["repository_id", "repository_owner_id", "run_id", "run_number", "run_attempt"] as const

/** Only ASCII, so that a look-alike letter of another script cannot imitate a known name. */
const REPOSITORY = /^([A-Za-z0-9_.-]{1,100})\/([A-Za-z0-9_.-]{1,100})$/

function faultOfRepository(claims: Claims): string | null {
  const fault = faultOfIds(claims, ID_CLAIMS)
  if (fault !== null) return fault
  const [, owner, name] = REPOSITORY.exec(text(claims, "repository")) ?? []
  if (owner === undefined || [owner, name].some((part) => part === "." || part === "..")) {
    return "the claim repository must be an owner and a name in ASCII, such as acme/shop"
  }
  if (owner !== claims["repository_owner"]) {
    return "the claims repository and repository_owner name two different owners"
  }
  return faultOfSubject(text(claims, "sub"), claims)
}
