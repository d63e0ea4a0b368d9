import type { FileForm, Revocation } from "../broker/wire/exchange.ts"
import { ActionError } from "./failure.ts"
import { memberOf, membersOf } from "./json.ts"
import { isTime } from "./time.ts"

/** The lease of an exchange: what a revocation needs. */
export interface Lease {
  readonly id: string
  readonly expiresAt: string
}

export interface Credential {
  readonly grant: string
  readonly provider: string
  /** As on the wire; a format that this version does not know is kept and has no effect. */
  readonly format?: string
  readonly expiresAt: string | null
  readonly revocation: Revocation
  /** The granted lifetime in seconds, when it is shorter than the requested one. */
  readonly shortenedToSeconds?: number
  readonly values: readonly Value[]
}

export interface Value {
  readonly name: string
  readonly value: string
  readonly secret: boolean
  readonly env?: string
  /** Present when the value is delivered as a file. */
  readonly file?: FileForm
  /** Present when tools log in with the value. As on the wire: `files/tools/` checks it, which most steps do not load. */
  readonly logins?: readonly unknown[]
}

/** True when a tool logs in with one of the values. */
export const hasLogins = (credentials: readonly Credential[]): boolean =>
  credentials.some(({ values }) => values.some(({ logins }) => logins !== undefined))

/** The logins with a value, for the log and the summary: `login of docker`. They are checked when they are planned. */
export const loginsOf = ({ logins = [] }: Value): readonly string[] =>
  logins
    .map((login) => memberOf(login, "tool"))
    .filter((tool) => typeof tool === "string")
    .map((tool) => `login of ${tool}`)

const LEASE_ID = /^[A-Za-z0-9._~-]{1,256}$/
/** Of a grant, a provider or a value. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
/** The owner may read or write, the group may read. Other users have no access. */
const FILE_MODE = /^0[46][04]0$/
const MAX_VALUES = 64

/**
 * Reads the lease of a decrypted answer. It is read first: if the rest of the answer is wrong, the lease can still be
 * revoked. Here and below, unknown members are ignored, because the broker may be newer.
 * @throws {ActionError} `answer_unusable`
 */
export function readLease(answer: unknown): Lease {
  const id = memberOf(answer, "lease")
  if (typeof id !== "string" || !LEASE_ID.test(id)) throw unusable("it has no lease")
  return { id, expiresAt: readTime(memberOf(answer, "expires_at"), "the lease") }
}

/**
 * Reads the credentials of a decrypted answer: exactly those that were requested.
 * @throws {ActionError} `answer_unusable`; the message names grants and values and never quotes a value
 */
export function readCredentials(answer: unknown, grants: readonly string[]): readonly Credential[] {
  const members = membersOf(memberOf(answer, "credentials"))
  if (members === null) throw unusable("it has no credentials")
  const byGrant = new Map(members)
  const missing = grants.find((grant) => !byGrant.has(grant))
  if (missing !== undefined) throw unusable(`it has no credential for the grant ${missing}`)
  if (byGrant.size !== grants.length) throw unusable("it has credentials that were not requested")
  return grants.map((grant) => readCredential(grant, byGrant.get(grant)))
}

function readCredential(grant: string, credential: unknown): Credential {
  const provider = memberOf(credential, "provider")
  const revocation = memberOf(credential, "revocation")
  const expiresAt = memberOf(credential, "expires_at") ?? null
  const shortened = memberOf(credential, "shortened_to_seconds")
  const format = memberOf(credential, "format")
  const values = membersOf(memberOf(credential, "values"))
  if (typeof provider !== "string" || !NAME.test(provider)) throw unusable(`it does not name the provider of ${grant}`)
  if (revocation !== "revocable" && revocation !== "expires-only")
    throw unusable(`it does not say whether ${grant} can be revoked`)
  if (values === null || values.length > MAX_VALUES) throw unusable(`it has no values for ${grant}`)
  return {
    grant,
    provider,
    ...(typeof format === "string" && { format }),
    revocation,
    expiresAt: expiresAt === null ? null : readTime(expiresAt, grant),
    ...(typeof shortened === "number" && Number.isSafeInteger(shortened) && { shortenedToSeconds: shortened }),
    values: values.map(([name, value]) => readValue(grant, name, value)),
  }
}

function readValue(grant: string, name: string, member: unknown): Value {
  if (!NAME.test(name)) throw unusable(`the name of a value of ${grant} is invalid`)
  const value = memberOf(member, "value")
  const secret = memberOf(member, "secret")
  const env = memberOf(member, "env")
  if (typeof value !== "string") throw unusable(`the value ${name} of ${grant} is not a string`)
  if (typeof secret !== "boolean") throw unusable(`it does not say whether the value ${name} of ${grant} is secret`)
  if (env !== undefined && typeof env !== "string")
    throw unusable(`the variable for the value ${name} of ${grant} is not a string`)
  const file = readFileForm(grant, name, memberOf(member, "file"))
  const logins = memberOf(member, "logins")
  if (logins !== undefined && !Array.isArray(logins))
    throw unusable(`the logins of the value ${name} of ${grant} are not a list`)
  return {
    name,
    value,
    secret,
    ...(env !== undefined && { env }),
    ...(file && { file }),
    ...(logins !== undefined && { logins }),
  }
}

function readFileForm(grant: string, name: string, form: unknown): FileForm | null {
  if (form === undefined) return null
  const [mode, encoding] = [memberOf(form, "mode"), memberOf(form, "encoding")]
  if (typeof mode !== "string" || !FILE_MODE.test(mode) || (encoding !== undefined && encoding !== "base64")) {
    throw unusable(`the file mode or encoding of the value ${name} of ${grant} is not allowed`)
  }
  return { mode, ...(encoding !== undefined && { encoding }) }
}

function readTime(value: unknown, of: string): string {
  if (!isTime(value)) throw unusable(`it does not say when ${of} expires`)
  return value
}

/** `fault`: a clause that names grants and values, and quotes no value. */
export function unusable(fault: string): ActionError {
  return new ActionError("answer_unusable", `The broker's answer cannot be used: ${fault}.`)
}

/** A value of a credential; undefined when it has none of this name. */
export const valueNamed = ({ values }: Credential, name: string): string | undefined =>
  values.find((value) => value.name === name)?.value

/**
 * A value of a credential whose format says that it is there.
 * @throws {ActionError} `answer_unusable` when it is not
 */
export function requiredValue(credential: Credential, name: string): string {
  const found = valueNamed(credential, name) ?? ""
  if (found === "") throw unusable(`the credential of ${credential.grant} has no ${name}`)
  return found
}
