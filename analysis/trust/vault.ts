import { isObject, type JsonObject, textOf, textsOf } from "./json.ts"
import type { Admission, Door, TrustFinding } from "./model.ts"
import { isNameClaim } from "./name-claims.ts"
import { type Demand, literal, wild } from "./wild.ts"

/** Keys that only a role of Vault's JWT auth method has. */
const KEYS = ["bound_audiences", "bound_subject", "bound_claims", "bound_claims_type", "user_claim"]

/** The role in what `vault read -format=json auth/jwt/role/NAME` prints, or in its payload alone; null for anything else. */
export function vaultRoleIn(value: JsonObject): JsonObject | null {
  const data = isObject(value["data"]) ? value["data"] : value
  return KEYS.some((key) => key in data) ? data : null
}

/**
 * Reads a role (Vault API documentation, "JWT/OIDC auth method", "Create/Update role"). `bound_subject` is compared exactly,
 * also with `bound_claims_type: glob`, in which `*` matches any characters. Each bound claim must match one of its values.
 */
export function readVaultRole(role: JsonObject): Door {
  const place = "the role"
  const findings: TrustFinding[] = []
  const finding = (code: TrustFinding["code"], message: string) =>
    findings.push({ severity: "finding", code, place, message })
  const type = role["role_type"]
  if (type === "oidc") {
    finding(
      "principal_other",
      "Its role_type is oidc: it lets in people who log in with a browser, and refuses the broker's tokens. Create it with role_type: jwt.",
    )
    return { kind: "vault-role", name: null, admissions: [], findings }
  }
  const audiences = textsOf(role["bound_audiences"])
  if (audiences === null) finding("not_understood", "Its bound_audiences are not texts.")
  const subject: Demand[] = []
  const audience: Demand[] = []
  if (audiences !== null && audiences.length > 0) audience.push({ patterns: audiences.map(literal), negated: false })
  const bound = role["bound_subject"]
  if (typeof bound === "string" && bound !== "") subject.push({ patterns: [literal(bound)], negated: false })
  else if (bound !== undefined && bound !== null && bound !== "")
    finding("not_understood", "Its bound_subject is not a text.")

  const unread: string[] = []
  const names: string[] = []
  const isGlob = role["bound_claims_type"] === "glob"
  const claims = role["bound_claims"] ?? {}
  if (!isObject(claims)) finding("not_understood", "Its bound_claims are not a map.")
  for (const [key, value] of isObject(claims) ? Object.entries(claims) : []) {
    // A key that begins with a slash is a JSON pointer (RFC 6901).
    const claim = key.replace(/^\//, "")
    const texts = textsOf(value)
    const into = claim === "sub" ? subject : claim === "aud" ? audience : null
    if (into === null) {
      unread.push(`bound_claims.${key}`)
      if (isNameClaim(claim)) names.push(claim)
    } else if (texts === null) finding("not_understood", `Its bound_claims.${key} has other values than texts.`)
    else into.push({ patterns: texts.map((text) => (isGlob ? wild(text, false) : literal(text))), negated: false })
  }
  for (const key of ["token_bound_cidrs", "bound_cidrs"]) {
    if ((textsOf(role[key]) ?? []).length > 0) unread.push(key)
  }
  const admission: Admission = { place, issuer: null, subject, audience, unread, names }
  return { kind: "vault-role", name: textOf(role["name"]) ?? null, admissions: [admission], findings }
}
