import type { FileForm, Problem, Revocation, RevocationOutcome, RevokeAnswer } from "../broker/wire/exchange.ts"
import type { BoundaryTrace, ConditionTrace, FieldTrace, GrantTrace, RuleTrace, Trace } from "../broker/wire/trace.ts"
import { ActionError } from "./failure.ts"
import { memberOf, membersOf } from "./json.ts"

/** The lease of an exchange, as far as it must be known to take it back. */
export interface Lease {
  readonly id: string
  readonly expiresAt: string
}

export interface Credential {
  readonly grant: string
  readonly provider: string
  readonly expiresAt: string | null
  readonly revocation: Revocation
  readonly values: readonly Value[]
}

export interface Value {
  readonly name: string
  readonly value: string
  readonly secret: boolean
  readonly env?: string
  /** It is to arrive as a file. */
  readonly file?: FileForm
}

const LEASE_ID = /^[A-Za-z0-9._~-]{1,256}$/
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/
/** Of the owner, and of the group to read: never for everybody. */
const FILE_MODE = /^0[46][04]0$/
const MAX_VALUES = 64
const MAX_TEXT_CHARACTERS = 2_000
const MAX_LIST = 200

/**
 * Reads the lease of an opened answer. Read before anything else, so that whatever is wrong with the rest, the lease
 * can be given back. Here and below, members that this version does not know are passed over: brokers may be newer.
 * @throws {ActionError} `answer_unusable`
 */
export function readLease(answer: unknown): Lease {
  const id = memberOf(answer, "lease")
  if (typeof id !== "string" || !LEASE_ID.test(id)) throw unusable("it names no lease")
  return { id, expiresAt: readTime(memberOf(answer, "expires_at"), "the lease") }
}

/**
 * Reads the credentials of an opened answer: exactly those that were asked for.
 * @throws {ActionError} `answer_unusable`; it names grants and values, and quotes neither
 */
export function readCredentials(answer: unknown, grants: readonly string[]): readonly Credential[] {
  const members = membersOf(memberOf(answer, "credentials"))
  if (members === null) throw unusable("it has no credentials")
  const byGrant = new Map(members)
  const missing = grants.find((grant) => !byGrant.has(grant))
  if (missing !== undefined) throw unusable(`it has nothing for the grant ${missing}`)
  if (byGrant.size !== grants.length) throw unusable("it has credentials that were not asked for")
  return grants.map((grant) => readCredential(grant, byGrant.get(grant)))
}

/** Reads what a revocation did to each credential; null when the answer does not say. */
export function readRevocation(answer: unknown): RevokeAnswer["credentials"] | null {
  const members = membersOf(memberOf(answer, "credentials"))
  if (members === null || members.length > MAX_LIST) return null
  const credentials: Record<string, { outcome: RevocationOutcome; expires_at: string | null }> = Object.create(null)
  for (const [grant, ended] of members) {
    const outcome = memberOf(ended, "outcome")
    const expiresAt = memberOf(ended, "expires_at") ?? null
    if (outcome !== "revoked" && outcome !== "expires-only" && outcome !== "failed") return null
    if (!NAME.test(grant) || (expiresAt !== null && !isTime(expiresAt))) return null
    credentials[grant] = { outcome, expires_at: expiresAt }
  }
  return credentials
}

/** Reads a problem document; null for anything that is none. A trace that is not as it should be is left out. */
export function readProblem(document: unknown): Pick<Problem, "code" | "detail" | "request_id" | "trace"> | null {
  const code = memberOf(document, "code")
  const requestId = memberOf(document, "request_id")
  if (typeof code !== "string" || !/^[a-z][a-z0-9_]{0,63}$/.test(code)) return null
  const trace = readTrace(memberOf(document, "trace"))
  return {
    code,
    detail: readText(memberOf(document, "detail")),
    request_id: typeof requestId === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(requestId) ? requestId : "",
    ...(trace && { trace }),
  }
}

function readCredential(grant: string, credential: unknown): Credential {
  const provider = memberOf(credential, "provider")
  const revocation = memberOf(credential, "revocation")
  const expiresAt = memberOf(credential, "expires_at") ?? null
  const values = membersOf(memberOf(credential, "values"))
  if (typeof provider !== "string" || !NAME.test(provider)) throw unusable(`it names no provider for ${grant}`)
  if (revocation !== "revocable" && revocation !== "expires-only") throw unusable(`it does not say how ${grant} ends`)
  if (values === null || values.length > MAX_VALUES) throw unusable(`it has no values for ${grant}`)
  return {
    grant,
    provider,
    revocation,
    expiresAt: expiresAt === null ? null : readTime(expiresAt, grant),
    values: values.map(([name, value]) => readValue(grant, name, value)),
  }
}

function readValue(grant: string, name: string, member: unknown): Value {
  if (!NAME.test(name)) throw unusable(`a value of ${grant} has a name that is none`)
  const value = memberOf(member, "value")
  const secret = memberOf(member, "secret")
  const env = memberOf(member, "env")
  if (typeof value !== "string") throw unusable(`the value ${name} of ${grant} is no text`)
  if (typeof secret !== "boolean") throw unusable(`it does not say whether the value ${name} of ${grant} is secret`)
  if (env !== undefined && typeof env !== "string") throw unusable(`the value ${name} of ${grant} has an odd variable`)
  const file = readFileForm(grant, name, memberOf(member, "file"))
  return { name, value, secret, ...(env !== undefined && { env }), ...(file && { file }) }
}

function readFileForm(grant: string, name: string, form: unknown): FileForm | null {
  if (form === undefined) return null
  const [mode, encoding] = [memberOf(form, "mode"), memberOf(form, "encoding")]
  if (typeof mode !== "string" || !FILE_MODE.test(mode) || (encoding !== undefined && encoding !== "base64")) {
    throw unusable(`the value ${name} of ${grant} is to be an odd file`)
  }
  return { mode, ...(encoding !== undefined && { encoding }) }
}

function readTrace(value: unknown): Trace | null {
  const grants = memberOf(value, "grants")
  if (!Array.isArray(grants)) return null
  const subject = memberOf(value, "subject")
  const environment = memberOf(subject, "environment")
  return {
    subject: {
      issuer: readText(memberOf(subject, "issuer")),
      repository: readText(memberOf(subject, "repository")),
      repository_id: readText(memberOf(subject, "repository_id")),
      environment: typeof environment === "string" ? readText(environment) : null,
    },
    policies: readList(memberOf(value, "policies")).map(readText),
    notes: readList(memberOf(value, "notes")).map(readText),
    grants: readList(grants).map(readGrantTrace),
  }
}

function readGrantTrace(value: unknown): GrantTrace {
  return {
    name: readText(memberOf(value, "name")),
    outcome: memberOf(value, "outcome") === "allow" ? "allow" : "deny",
    reason: readText(memberOf(value, "reason")),
    rules: readList(memberOf(value, "rules")).map(readRuleTrace),
    boundaries: readList(memberOf(value, "boundaries")).map(readBoundaryTrace),
  }
}

function readRuleTrace(value: unknown): RuleTrace {
  return {
    kind: memberOf(value, "kind") === "allow" ? "allow" : "deny",
    name: readText(memberOf(value, "name")),
    file: readText(memberOf(value, "file")),
    line: readLine(memberOf(value, "line")),
    matched: memberOf(value, "matched") === true,
    conditions: readList(memberOf(value, "conditions")).map(readConditionTrace),
  }
}

function readBoundaryTrace(value: unknown): BoundaryTrace {
  return {
    name: readText(memberOf(value, "name")),
    file: readText(memberOf(value, "file")),
    line: readLine(memberOf(value, "line")),
    matched: memberOf(value, "matched") === true,
    allows: memberOf(value, "allows") === true,
    conditions: readList(memberOf(value, "conditions")).map(readConditionTrace),
    required: readList(memberOf(value, "required")).map(readConditionTrace),
    fields: readList(memberOf(value, "fields")).map(readFieldTrace),
    environment: readList(memberOf(value, "environment")).map(readText),
  }
}

function readFieldTrace(value: unknown): FieldTrace {
  const actual = memberOf(value, "actual")
  return {
    field: readText(memberOf(value, "field")),
    expected: readText(memberOf(value, "expected")),
    actual: typeof actual === "string" ? readText(actual) : null,
  }
}

function readConditionTrace(value: unknown): ConditionTrace {
  const actual = memberOf(value, "actual")
  return {
    claim: readText(memberOf(value, "claim")),
    expected: readText(memberOf(value, "expected")),
    actual: typeof actual === "string" ? readText(actual) : null,
    matched: memberOf(value, "matched") === true,
  }
}

function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_LIST) : []
}

function readLine(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : 0
}

function readText(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_TEXT_CHARACTERS) : ""
}

function readTime(value: unknown, of: string): string {
  if (!isTime(value)) throw unusable(`it does not say when ${of} ends`)
  return value
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && TIME.test(value) && !Number.isNaN(Date.parse(value))
}

function unusable(fault: string): ActionError {
  return new ActionError("answer_unusable", `The broker's answer cannot be used: ${fault}.`)
}
