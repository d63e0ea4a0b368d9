import type { IncomingHttpHeaders } from "node:http"
import { deflateRawSync } from "node:zlib"
import { mediaTypeOf } from "../servers.ts"
import { StsRefusal } from "./answer.ts"

const API_VERSION = "2011-06-15"
const ACTION = "AssumeRoleWithWebIdentity"
const MIN_DURATION_SECONDS = 900
const MAX_DURATION_SECONDS = 43_200
const DEFAULT_DURATION_SECONDS = 3600
const MAX_POLICY_ARNS = 10
const PACKED_LIMIT_BYTES = 1024

const SINGLE = ["Action", "Version", "RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds", "Policy"]
const POLICY_ARN = /^PolicyArns\.member\.([1-9][0-9]?)\.arn$/
const ROLE_ARN = /^arn:(aws(?:-[a-z]+)*):iam::(\d{12}):role\/(?:[\u0021-\u007e]+\/)?([\w+=,.@-]{1,64})$/

/** A call of AssumeRoleWithWebIdentity whose form is right. */
export interface AssumeRoleCall {
  readonly roleArn: string
  readonly partition: string
  readonly account: string
  /** The role's name without its path: what the session's ARN carries. */
  readonly roleName: string
  readonly sessionName: string
  readonly token: string
  readonly durationSeconds: number
  readonly policy: string | null
  readonly policyArns: readonly string[]
}

/**
 * Parses and checks a call as STS does before it looks at the token: ranges, lengths and characters of its model.
 *
 * Two things are stricter than STS: a parameter that the operation does not have, or that comes twice, is refused
 * instead of ignored; and so is a signed call, because a broker that has AWS keys to sign with has lost the point.
 * @throws {StsRefusal}
 */
export function readAssumeRoleCall(method: string, headers: IncomingHttpHeaders, body: string | null): AssumeRoleCall {
  if (method !== "POST" || mediaTypeOf(headers["content-type"]) !== "application/x-www-form-urlencoded") {
    throw new StsRefusal("MalformedInput", "the call is a POST of a form")
  }
  if (body === null) throw new StsRefusal("MalformedInput", "the form is too large")
  if (headers.authorization !== undefined || headers["x-amz-security-token"] !== undefined) {
    throw new StsRefusal("InvalidClientTokenId", "The security token included in the request is invalid.")
  }
  const form = new URLSearchParams(body)
  const action = form.get("Action")
  if (action === null) throw new StsRefusal("MissingAction", "Missing Action")
  if (action !== ACTION || form.get("Version") !== API_VERSION) {
    throw new StsRefusal("InvalidAction", `Could not find operation ${action} for version ${form.get("Version")}`)
  }
  refuseUnknownParameters(form)
  const roleArn = text(form, "RoleArn", "roleArn", 20, 2048)
  const sessionName = text(form, "RoleSessionName", "roleSessionName", 2, 64, /^[\w+=,.@-]*$/)
  const token = text(form, "WebIdentityToken", "webIdentityToken", 4, 20_000)
  const role = ROLE_ARN.exec(roleArn)
  if (!role) throw new StsRefusal("ValidationError", `Request ARN is invalid`)
  return {
    roleArn,
    partition: role[1] ?? "",
    account: role[2] ?? "",
    roleName: role[3] ?? "",
    sessionName,
    token,
    durationSeconds: duration(form.get("DurationSeconds")),
    policy: sessionPolicy(form),
    policyArns: policyArns(form),
  }
}

/**
 * How full the session's policies and tags make it, in percent of what AWS packs them into.
 * @throws {StsRefusal} `PackedPolicyTooLarge` over a hundred
 */
export function packedPolicySize(call: AssumeRoleCall, tags: Readonly<Record<string, string>>): number {
  const packed = deflateRawSync(JSON.stringify([call.policy, call.policyArns, tags])).byteLength
  const percent = Math.ceil((packed / PACKED_LIMIT_BYTES) * 100)
  if (percent > 100) {
    throw new StsRefusal("PackedPolicyTooLarge", `Packed size of session tags consumes ${percent}% of allotted space.`)
  }
  return percent
}

function refuseUnknownParameters(form: URLSearchParams): void {
  const seen = new Set<string>()
  for (const name of form.keys()) {
    if (!SINGLE.includes(name) && !POLICY_ARN.test(name)) {
      throw new StsRefusal("ValidationError", `${ACTION} has no parameter ${name}`)
    }
    if (seen.has(name)) throw new StsRefusal("ValidationError", `${name} is there twice`)
    seen.add(name)
  }
}

function text(form: URLSearchParams, name: string, member: string, min: number, max: number, pattern?: RegExp): string {
  const value = form.get(name)
  if (value === null) throw constraint("null", member, "Member must not be null")
  if (value.length < min) throw constraint(value, member, `Member must have length greater than or equal to ${min}`)
  if (value.length > max) throw constraint("...", member, `Member must have length less than or equal to ${max}`)
  if (pattern && !pattern.test(value)) {
    throw constraint(value, member, `Member must satisfy regular expression pattern: ${pattern.source.slice(1, -1)}`)
  }
  return value
}

function duration(value: string | null): number {
  if (value === null) return DEFAULT_DURATION_SECONDS
  if (!/^-?\d{1,9}$/.test(value)) throw new StsRefusal("MalformedInput", "DurationSeconds is not an integer")
  const seconds = Number(value)
  if (seconds < MIN_DURATION_SECONDS) {
    throw constraint(
      value,
      "durationSeconds",
      `Member must have value greater than or equal to ${MIN_DURATION_SECONDS}`,
    )
  }
  if (seconds > MAX_DURATION_SECONDS) {
    throw constraint(value, "durationSeconds", `Member must have value less than or equal to ${MAX_DURATION_SECONDS}`)
  }
  return seconds
}

function sessionPolicy(form: URLSearchParams): string | null {
  if (!form.has("Policy")) return null
  const policy = text(form, "Policy", "policy", 1, 2048, /^[\t\n\r\u0020-\u00ff]+$/)
  if (!isPolicyDocument(policy)) throw new StsRefusal("MalformedPolicyDocument", "Syntax errors in policy.")
  return policy
}

function isPolicyDocument(policy: string): boolean {
  let document: unknown
  try {
    document = JSON.parse(policy)
  } catch {
    return false
  }
  if (!isRecord(document)) return false
  if (document["Version"] !== "2012-10-17" && document["Version"] !== "2008-10-17") return false
  const statements = Array.isArray(document["Statement"]) ? document["Statement"] : [document["Statement"]]
  return statements.length > 0 && statements.every(isStatement)
}

const isStatement = (statement: unknown) =>
  isRecord(statement) &&
  (statement["Effect"] === "Allow" || statement["Effect"] === "Deny") &&
  ("Action" in statement || "NotAction" in statement) &&
  ("Resource" in statement || "NotResource" in statement)

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

function policyArns(form: URLSearchParams): string[] {
  const names = [...form.keys()].filter((name) => POLICY_ARN.test(name))
  if (names.length > MAX_POLICY_ARNS) {
    throw constraint("[...]", "policyArns", `Member must have length less than or equal to ${MAX_POLICY_ARNS}`)
  }
  return names
    .map((_, index) => text(form, `PolicyArns.member.${index + 1}.arn`, `policyArns.${index + 1}.member.arn`, 20, 2048))
    .map((arn) => {
      if (/^arn:aws(?:-[a-z]+)*:iam::(?:aws|\d{12}):policy\/[\w+=,.@/-]+$/.test(arn)) return arn
      throw new StsRefusal("ValidationError", `ARN ${arn} is not valid.`)
    })
}

const constraint = (value: string, member: string, rule: string) =>
  new StsRefusal(
    "ValidationError",
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${rule}`,
  )
