import { alternativesOf, type Comparison } from "./cel.ts"
import { isObject, type JsonObject, listOf, textOf, textsOf } from "./json.ts"
import type { Admission, Door, TrustFinding } from "./model.ts"
import { isNameClaim } from "./name-claims.ts"
import { type Demand, literal } from "./wild.ts"

/** Whether an object is a workload identity pool's provider, as `gcloud` or the API prints it. */
export const isPoolProvider = (value: JsonObject): boolean =>
  isObject(value["oidc"]) || "attributeCondition" in value || "attributeMapping" in value

/** Whether an object is an IAM policy of Google Cloud, or one binding of it. */
export const isBinding = (value: JsonObject): boolean =>
  Array.isArray(value["bindings"]) || Array.isArray(value["members"])

/** A claim of the token at its place in the provider's expressions. */
const ASSERTION = /^assertion(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[(?:'([^'\\]+)'|"([^"\\]+)")\])$/

/** The claim that an expression is nothing but; null for any other expression. */
function claimIn(expression: string): string | null {
  const [, dotted, single, double] = ASSERTION.exec(expression.trim()) ?? []
  return dotted ?? single ?? double ?? null
}

/**
 * Reads a pool's provider (Google Cloud IAM, "WorkloadIdentityPoolProvider"): it lets in the tokens of its issuer with an
 * allowed audience, for which the attribute condition is true. Without allowed audiences, only the provider's own full name
 * is allowed, with or without `https:`.
 */
export function readPoolProvider(provider: JsonObject): Door {
  const place = "the provider"
  const findings: TrustFinding[] = []
  const unclear = (message: string) => findings.push({ severity: "finding", code: "not_understood", place, message })
  const oidc = isObject(provider["oidc"]) ? provider["oidc"] : {}
  const issuer = textOf(oidc["issuerUri"])
  if (issuer === undefined) unclear("It has no oidc.issuerUri.")
  // Instead of the keys that the issuer publishes.
  if ((textOf(oidc["jwksJson"]) ?? "") !== "") {
    const message =
      "It checks tokens with uploaded keys (oidc.jwksJson), and not with those that the broker publishes: remove them."
    findings.push({ severity: "finding", code: "issuer_other", place, message })
  }
  const mapping = isObject(provider["attributeMapping"]) ? provider["attributeMapping"] : {}
  if (claimIn(textOf(mapping["google.subject"]) ?? "") !== "sub")
    unclear("Its google.subject is not assertion.sub, so bindings name something else than the subject.")

  const name = textOf(provider["name"]) ?? null
  const allowed = textsOf(oidc["allowedAudiences"])
  if (allowed === null) unclear("Its oidc.allowedAudiences are not texts.")
  // The same without https: is allowed as well, and names the same provider.
  const own = name === null ? [] : [`https://iam.googleapis.com/${name}`]
  const texts = allowed === null || allowed.length === 0 ? own : allowed
  const audience: readonly Demand[] = texts.length === 0 ? [] : [{ patterns: texts.map(literal), negated: false }]

  const condition = textOf(provider["attributeCondition"]) ?? ""
  const claimOf = (path: string): string | null => {
    const mapped = textOf(mapping[path])
    return mapped === undefined ? claimIn(path) : claimIn(mapped)
  }
  const alternatives = condition.trim() === "" ? [[]] : alternativesOf(condition)
  if (alternatives === null) unclear("Its attributeCondition has more than comparisons of attributes with texts.")
  const admissions = (alternatives ?? [[]]).map((all, index, { length }): Admission => {
    const at = length === 1 ? place : `${place}, alternative ${index + 1} of its condition`
    return { ...readAll(all, claimOf), place: at, issuer: issuer ?? null, audience }
  })
  return { kind: "google-provider", name, admissions, findings }
}

function readAll(
  all: readonly Comparison[],
  claimOf: (path: string) => string | null,
): Pick<Admission, "subject" | "unread" | "names"> {
  const [subject, unread, names]: [Demand[], string[], string[]] = [[], [], []]
  for (const { path, patterns, negated } of all) {
    const claim = claimOf(path)
    if (claim === "sub") subject.push({ patterns, negated })
    else unread.push(path)
    if (claim !== null && isNameClaim(claim)) names.push(claim)
  }
  return { subject, unread, names }
}

const PRINCIPAL =
  /^principal:\/\/iam\.googleapis\.com\/(projects\/[0-9]+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+)\/subject\/(.+)$/
const PRINCIPAL_SET =
  /^principalSet:\/\/iam\.googleapis\.com\/(projects\/[0-9]+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+)\/(.+)$/

/** Roles with which a member becomes the service account, by its tokens or its keys. */
const IMPERSONATES: ReadonlySet<string> = new Set([
  "roles/iam.workloadIdentityUser",
  "roles/iam.serviceAccountTokenCreator",
  "roles/iam.serviceAccountOpenIdTokenCreator",
  "roles/iam.serviceAccountKeyAdmin",
])

/**
 * Reads an IAM policy or one binding. The tokens are those that the pool's provider lets in; the policy does not say which
 * audience they have.
 *
 * @param pools the pools of the connections, by their full names
 */
export function readBindings(policy: JsonObject, pools: readonly string[]): Door {
  const bindings = Array.isArray(policy["bindings"]) ? listOf(policy["bindings"]) : [policy]
  const findings: TrustFinding[] = []
  const admissions: Admission[] = []
  for (const [index, binding] of bindings.entries()) {
    const role = isObject(binding) ? (textOf(binding["role"]) ?? "") : ""
    const members = isObject(binding) ? textsOf(binding["members"]) : null
    const place = bindings.length === 1 ? "the binding" : `binding ${index + 1}`
    const say = (code: TrustFinding["code"], message: string, severity: TrustFinding["severity"] = "finding") =>
      findings.push({ severity, code, place, message })
    if (members === null) {
      say("not_understood", "Its members are not texts.")
      continue
    }
    const unread = isObject(binding) && isObject(binding["condition"]) ? ["condition"] : []
    for (const member of members) {
      const [, pool, subject] = PRINCIPAL.exec(member) ?? []
      const [, poolOfSet, which] = PRINCIPAL_SET.exec(member) ?? []
      const shown = JSON.stringify(member.slice(0, 300))
      const named = pool ?? poolOfSet
      if (named === undefined) {
        const isAnyone = member === "allUsers" || member === "allAuthenticatedUsers"
        if (isAnyone || IMPERSONATES.has(role))
          say("principal_other", `It lets in ${shown}, which is no job of a policy: remove the member.`)
        else if (/^principal(?:Set)?:/.test(member)) say("not_understood", `The member ${shown} cannot be read.`)
        continue
      }
      if (!pools.includes(named)) {
        say("issuer_other", `It lets in ${shown}, of a pool that no connection of the folder names.`)
        continue
      }
      if (subject !== undefined) {
        const demand = { patterns: [literal(subject)], negated: false }
        admissions.push({ place, issuer: null, subject: [demand], audience: [], unread, names: [] })
        continue
      }
      const attribute = /^attribute\.([a-z0-9_]+)\//.exec(which ?? "")?.[1]
      const names = attribute !== undefined && isNameClaim(attribute) ? [attribute] : []
      admissions.push({
        place: `${place}, ${which === "*" ? "the whole pool" : (which ?? "")}`,
        issuer: null,
        subject: [],
        audience: [],
        unread: which === "*" ? unread : [...unread, which ?? ""],
        names,
      })
    }
  }
  return { kind: "google-binding", name: null, admissions, findings }
}

/** What a provider and the bindings of its pool let in together: a token must pass both. */
export function poolOfBoth(provider: Door, bindings: Door): Door {
  return {
    kind: "google-pool",
    name: provider.name,
    admissions: bindings.admissions.flatMap((bound) =>
      provider.admissions.map((admitted) => ({
        place: `${bound.place}, by ${admitted.place}`,
        issuer: admitted.issuer,
        subject: [...bound.subject, ...admitted.subject],
        audience: admitted.audience,
        unread: [...bound.unread, ...admitted.unread],
        names: [...bound.names, ...admitted.names],
      })),
    ),
    findings: [...provider.findings, ...bindings.findings],
  }
}
