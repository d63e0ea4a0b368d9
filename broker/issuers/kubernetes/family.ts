import { KUBERNETES } from "../../core/families/kubernetes.ts"
import type { Claims, ClaimValue } from "../../core/identity.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * Kubernetes: tokens of service accounts, from a projected volume or the TokenRequest API, of any cluster: EKS, GKE, AKS and
 * one's own.
 *
 * API servers sign with RSA or ECDSA keys. Managed clusters publish a discovery document on a public host. For others the
 * organisation file lists the keys, or says where they are.
 */
export const kubernetes: IssuerFamily = {
  facts: KUBERNETES,
  algorithms: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"],
  keys: { by: "discovery" },
  retiredIssuers: new Map([
    [
      "kubernetes/serviceaccount",
      "The subject token is a legacy token from a Secret: it never expires and is for no audience, so it is never accepted. Mount a projected serviceAccountToken volume with this broker's audience.",
    ],
  ]),
  derive: flattened,
  check: faultOfSubject,
}

const TEXT_PATHS = [
  ["namespace"],
  ["serviceaccount", "name"],
  ["serviceaccount", "uid"],
  ["pod", "name"],
  ["pod", "uid"],
  ["node", "name"],
  ["node", "uid"],
] as const
const REQUIRED = 3

/** Each claim of the object `kubernetes.io` by its path. The first ones are in every token. */
function flattened(claims: Claims): Result<Claims, string> {
  const object = claims["kubernetes.io"]
  const found: Record<string, ClaimValue> = Object.create(null)
  for (const [index, path] of TEXT_PATHS.entries()) {
    const name = `kubernetes.io/${path.join("/")}`
    const value = path.reduce(memberOf, object)
    if (value === undefined && index >= REQUIRED) continue
    if (typeof value !== "string" || value === "") {
      return fail(`the claim ${name} ${value === undefined ? "is missing" : "must be a text, and not empty"}`)
    }
    found[name] = value
  }
  const warnAfter = memberOf(object, "warnafter")
  if (warnAfter !== undefined) {
    if (!Number.isSafeInteger(warnAfter)) return fail("the claim kubernetes.io/warnafter must be a whole number")
    found["kubernetes.io/warnafter"] = warnAfter
  }
  found["service_account"] = `${found["kubernetes.io/namespace"]}/${found["kubernetes.io/serviceaccount/name"]}`
  return ok(found)
}

/** A member of an object; undefined for what is no object or has no such member. The strict parser gives no prototype. */
function memberOf(value: ClaimValue | undefined, name: string): ClaimValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
    return undefined
  return (value as Claims)[name]
}

/** `sub` says namespace and name once more. A token whose two texts differ is no API server's. */
function faultOfSubject(claims: Claims): string | null {
  const account = claims["service_account"]
  if (typeof account !== "string" || !KUBERNETES.unitName?.pattern.test(account)) {
    return "the service account must have a namespace and a name as Kubernetes writes them"
  }
  return claims["sub"] === `system:serviceaccount:${account.replace("/", ":")}`
    ? null
    : "the claims sub and kubernetes.io name two different service accounts"
}
