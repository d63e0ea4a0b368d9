import type { ClaimValue } from "../../broker/core/identity.ts"
import { conditionsOf, type StatementConditions } from "./aws-conditions.ts"
import { isObject, type JsonObject, listOf, textOf, textsOf } from "./json.ts"
import type { Admission, Door, TrustFinding } from "./model.ts"
import { fulfils, wild } from "./wild.ts"

/** The action by which a token becomes a session of a role. */
const ASSUME = "sts:assumerolewithwebidentity"
/** The action without which STS refuses a token that has session tags. */
const TAG = "sts:tagsession"

const STATEMENT_KEYS: ReadonlySet<string> = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Condition",
  "Resource",
])

/** Whether an object is an IAM policy: only these have statements. */
export const isTrustPolicy = (value: JsonObject): boolean => "Statement" in value

/** What is found in a statement, besides whom it lets in. */
interface Reading {
  readonly admissions: readonly Admission[]
  readonly findings: readonly TrustFinding[]
  readonly allowsTags: boolean
  /** Conditions of a `Deny`: they narrow every admission of this issuer. */
  readonly denied: readonly { readonly issuer: string | null; readonly conditions: StatementConditions }[]
}

/**
 * Reads the trust policy of a role (IAM User Guide, "IAM JSON policy element reference"). What is not understood is never
 * taken as a restriction, so the result lets in at least what AWS lets in.
 *
 * @param issuer the broker's URL, because the keys of its tokens' claims begin with it
 * @param name the role's ARN, if it is known
 */
export function readTrustPolicy(policy: JsonObject, issuer: string, name: string | null): Door {
  const statements = listOf(policy["Statement"])
  const read = statements.map((statement, index) =>
    isObject(statement)
      ? readStatement(statement, statements.length === 1 ? "the statement" : `statement ${index + 1}`, issuer)
      : notAStatement(index),
  )
  const denied = read.flatMap((one) => one.denied)
  const admissions = read.flatMap((one) => one.admissions).map((admission) => narrowed(admission, denied))
  return {
    kind: "aws-role",
    name,
    admissions: admissions.flatMap((one) => one ?? []),
    findings: [...read.flatMap((one) => one.findings), ...(read.some((one) => one.allowsTags) ? [] : [NO_TAGS])],
  }
}

const NO_TAGS: TrustFinding = {
  severity: "note",
  code: "tags_refused",
  place: "the trust policy",
  message:
    "No statement allows sts:TagSession. The broker's tokens have session tags, and STS then refuses them: allow the action, or set session_tags: false in the connection.",
}

function notAStatement(index: number): Reading {
  return nothing([notUnderstood(`statement ${index + 1}`, "It is not an object.")])
}

const nothing = (findings: readonly TrustFinding[]): Reading => ({
  admissions: [],
  findings,
  allowsTags: false,
  denied: [],
})

const notUnderstood = (place: string, what: string): TrustFinding => ({
  severity: "finding",
  code: "not_understood",
  place,
  message: `${what} So it cannot be proved whom it lets in.`,
})

function readStatement(statement: JsonObject, place: string, issuer: string): Reading {
  const effect = statement["Effect"]
  const unknown = Object.keys(statement).filter((key) => !STATEMENT_KEYS.has(key))
  if (unknown.length > 0) return nothing([notUnderstood(place, `It has the key ${JSON.stringify(unknown[0])}.`)])
  if (effect !== "Allow" && effect !== "Deny")
    return nothing([notUnderstood(place, "Its Effect is not Allow or Deny.")])
  const acts = actionsOf(statement)
  if (acts === null) return nothing([notUnderstood(place, "Its Action is not a text or a list of texts.")])
  const isDeny = effect === "Deny"
  const principals = principalsOf(statement, place, issuer)
  // A statement that only denies can only take away. What cannot be read of it is left out.
  if (isDeny) {
    // A Deny with NotPrincipal may spare the broker.
    if (!acts(ASSUME) || principals === null || "NotPrincipal" in statement) return nothing([])
    const denied = principals.issuers.flatMap((one) => {
      const conditions = conditionsOf(statement["Condition"], one ?? issuer)
      return conditions === null ? [] : [{ issuer: one, conditions }]
    })
    return { ...nothing([]), denied }
  }
  if (principals === null) return nothing([notUnderstood(place, "Its Principal cannot be read.")])
  const others = principals.others(acts)
  if (!acts(ASSUME)) return { ...nothing(others), allowsTags: acts(TAG) }
  const admissions = principals.issuers.map((one): Admission | TrustFinding | null => {
    const conditions = conditionsOf(statement["Condition"], one ?? issuer)
    if (conditions === null) return notUnderstood(place, "Its Condition is not a block of operators, keys and texts.")
    if (conditions.isNever) return null
    const { subject, audience, unread, names } = conditions
    return { place, issuer: one, subject, audience, unread, names }
  })
  return {
    admissions: admissions.flatMap((one) => (one === null || "severity" in one ? [] : [one])),
    findings: [...others, ...admissions.flatMap((one) => (one !== null && "severity" in one ? [one] : []))],
    allowsTags: acts(TAG),
    denied: [],
  }
}

/** Which actions a statement speaks of, by their names in small letters; null when it cannot be read. */
function actionsOf(statement: JsonObject): ((action: string) => boolean) | null {
  const [some, others] = [statement["Action"], statement["NotAction"]].map((one) =>
    one === undefined ? undefined : textsOf(one),
  )
  if (some === null || others === null || (some === undefined) === (others === undefined)) return null
  const patterns = (some ?? others ?? []).map((text) => wild(text.toLowerCase()))
  const isListed = (action: string) => fulfils(action, [{ patterns, negated: false }])
  return some === undefined ? (action) => !isListed(action) : isListed
}

interface Principals {
  /** The URLs of OIDC providers; null for any of them. */
  readonly issuers: readonly (string | null)[]
  /** Everyone else whom these actions let in. */
  others(acts: (action: string) => boolean): readonly TrustFinding[]
}

function principalsOf(statement: JsonObject, place: string, issuer: string): Principals | null {
  const principal = statement["Principal"]
  const finding = (who: string): TrustFinding => ({
    severity: "finding",
    code: "principal_other",
    place,
    message: `It lets in ${who}, who are no jobs of a policy: remove the statement, or give them another role.`,
  })
  if (statement["NotPrincipal"] !== undefined && principal === undefined)
    return { issuers: [null], others: () => [finding("everyone except those in NotPrincipal")] }
  if (statement["NotPrincipal"] !== undefined) return null
  if (principal === "*") return { issuers: [null], others: () => [finding("everyone")] }
  if (!isObject(principal)) return null
  const issuers: (string | null)[] = []
  const others: [who: string, action: string][] = []
  for (const [kind, value] of Object.entries(principal)) {
    const texts = textsOf(value)
    if (texts === null) return null
    for (const text of texts) {
      if (kind === "Federated") {
        const url = issuerOf(text)
        if (url === undefined) others.push([`users of ${shown(text)}`, "sts:assumerolewithsaml"])
        else issuers.push(url === null ? null : url === hostOf(issuer) ? issuer : `https://${url}`)
        if (url === null) others.push(["the tokens of every issuer", ASSUME])
      } else if (kind === "AWS" && text === "*") {
        // The same as a star for the whole Principal.
        issuers.push(null)
        others.push(["everyone", ASSUME], ["everyone", "sts:assumerole"])
      } else if (["AWS", "Service", "CanonicalUser"].includes(kind)) others.push([shown(text), "sts:assumerole"])
      else return null
    }
  }
  return {
    issuers,
    others: (acts) =>
      [...new Set(others.filter(([, action]) => acts(action)).map(([who]) => who))].map((who) => finding(who)),
  }
}

/** The host and path of an OIDC provider's ARN or name; null for any; undefined for another kind of provider. */
function issuerOf(federated: string): string | null | undefined {
  if (federated === "*") return null
  const arn = /^arn:[a-z-]+:iam::(?:[0-9]{12}|\*):([a-z-]+)\/(.+)$/.exec(federated)
  if (arn === null) return federated.startsWith("arn:") ? undefined : federated
  return arn[1] === "oidc-provider" ? arn[2] : undefined
}

/** IAM names an OIDC provider by its URL without the scheme. */
export const hostOf = (url: string): string => url.replace(/^https?:\/\//, "")

/** An admission after everything that a `Deny` certainly takes away; null when nothing is left. */
function narrowed(admission: Admission, denied: Reading["denied"]): Admission | null {
  let left = admission
  for (const { issuer, conditions } of denied) {
    if (issuer !== null && issuer !== left.issuer) continue
    // A condition that is never true takes nothing away.
    if (conditions.isNever) continue
    const { subject, audience, unread } = conditions
    const [only, ...more] = [
      ...subject.map((demand) => ({ claim: "subject" as const, demand })),
      ...audience.map((demand) => ({ claim: "audience" as const, demand })),
    ]
    // What is left after several conditions is not one condition on each claim, so they are not counted.
    if (more.length > 0 || unread.length > 0) {
      left = { ...left, unread: [...left.unread, "a Deny with several conditions"] }
      continue
    }
    if (only === undefined) return null
    const { claim, demand } = only
    left = { ...left, [claim]: [...left[claim], { ...demand, negated: !demand.negated }] }
  }
  return left
}

const shown = (text: string) => JSON.stringify(text.slice(0, 200))

/** The trust policy in what `aws iam get-role` prints, with the role's ARN: an object, or a text with percent-encoding. */
export function roleIn(value: JsonObject): { readonly arn: string | null; readonly document: ClaimValue } | null {
  const role = isObject(value["Role"]) ? value["Role"] : value
  const document = role["AssumeRolePolicyDocument"]
  return document === undefined ? null : { arn: textOf(role["Arn"]) ?? null, document }
}

/** The key of a claim of the broker's tokens in IAM: `daypass.example.com:sub`. */
export const iamKey = (issuer: string, claim: "sub" | "aud"): string => `${hostOf(issuer)}:${claim}`
