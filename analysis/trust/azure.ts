import type { ClaimValue } from "../../broker/core/identity.ts"
import { isObject, type JsonObject, textOf, textsOf } from "./json.ts"
import type { Admission, Door, TrustFinding } from "./model.ts"
import { isNameClaim } from "./name-claims.ts"
import { type Demand, literal, wild } from "./wild.ts"

/** The credentials in what `az identity federated-credential show` or `list`, or Microsoft Graph, prints; null for others. */
export function azureCredentialsIn(value: ClaimValue): readonly JsonObject[] | null {
  const all = Array.isArray(value) ? value : isObject(value) && Array.isArray(value["value"]) ? value["value"] : [value]
  const found = all.filter(isObject)
  const isCredential = (one: JsonObject) =>
    "audiences" in one && "issuer" in one && ("subject" in one || "claimsMatchingExpression" in one)
  return found.length === all.length && found.length > 0 && found.every(isCredential) ? found : null
}

/**
 * Reads federated identity credentials (Microsoft Graph, "federatedIdentityCredential"). Issuer, subject and audience are
 * compared exactly. Instead of a subject, a flexible credential has an expression of `claims['NAME'] eq 'TEXT'` and
 * `claims['NAME'] matches 'PATTERN'`, joined by `and`; in a pattern, `*` matches any characters and `?` one.
 */
export function readAzureCredentials(credentials: readonly JsonObject[]): Door {
  const read = credentials.map((one, index) => readCredential(one, placeOf(one, index, credentials.length)))
  return {
    kind: "azure-credential",
    name: null,
    admissions: read.map(({ admission }) => admission),
    findings: read.flatMap(({ findings }) => findings),
  }
}

function placeOf(credential: JsonObject, index: number, count: number): string {
  if (count === 1) return "the credential"
  const name = textOf(credential["name"])
  return name === undefined ? `credential ${index + 1}` : `credential ${JSON.stringify(name.slice(0, 120))}`
}

function readCredential(credential: JsonObject, place: string) {
  const findings: TrustFinding[] = []
  const unclear = (message: string) => findings.push({ severity: "finding", code: "not_understood", place, message })
  // Azure Resource Manager puts them into properties, the command line beside the name.
  const properties = isObject(credential["properties"]) ? credential["properties"] : credential
  const audiences = textsOf(properties["audiences"])
  if (audiences === null) unclear("Its audiences are not texts.")
  const issuer = textOf(properties["issuer"])
  if (issuer === undefined) unclear("Its issuer is not a text.")
  const audience: readonly Demand[] =
    audiences === null || audiences.length === 0 ? [] : [{ patterns: audiences.map(literal), negated: false }]

  let admission: Admission = { place, issuer: issuer ?? "", subject: [], audience, unread: [], names: [] }
  const subject = textOf(properties["subject"])
  const expression = properties["claimsMatchingExpression"]
  if (subject !== undefined && subject !== "")
    admission = { ...admission, subject: [{ patterns: [literal(subject)], negated: false }] }
  if (expression !== undefined && expression !== null) {
    const text = isObject(expression) ? textOf(expression["value"]) : textOf(expression)
    const read = text === undefined ? null : readExpression(text)
    if (read === null) unclear("Its claimsMatchingExpression cannot be read.")
    else admission = { ...admission, ...read, subject: [...admission.subject, ...read.subject] }
  }
  return { admission, findings }
}

const COMPARISON = /^claims\['([A-Za-z0-9_.-]+)'\]\s+(eq|matches)\s+'([^'\\]*)'$/

function readExpression(text: string): Pick<Admission, "subject" | "unread" | "names"> | null {
  const [subject, unread, names]: [Demand[], string[], string[]] = [[], [], []]
  for (const part of text.trim().split(/\s+and\s+(?=claims\[)/)) {
    const [, claim, operator, value = ""] = COMPARISON.exec(part.trim()) ?? []
    if (claim === undefined) return null
    if (claim === "sub") subject.push({ patterns: [operator === "eq" ? literal(value) : wild(value)], negated: false })
    else unread.push(`claims['${claim}'] ${operator}`)
    if (isNameClaim(claim)) names.push(claim)
  }
  return { subject, unread, names }
}
