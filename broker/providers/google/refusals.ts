import type { BrokerError } from "../../core/errors.ts"
import { memberOf } from "../../core/policy/plain.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { denied, jsonOf, type OtherSide, throttled, transientFailure } from "../call.ts"
import { SUBJECT_LIMIT } from "./settings.ts"

/** The meaning of a refusal's code for a job, and what to change. */
type Sentences = Readonly<Record<string, string>>

const STS_REFUSALS: Sentences = {
  __proto__: null as never,
  invalid_target:
    "the workload identity pool or its provider does not exist, or is disabled. Compare the connection's workload_identity_provider, which must have the project's number, not its id",
  invalid_grant:
    "it did not accept the broker's token. The provider's issuer must be exactly the broker's URL, its allowed audiences must contain the connection's audience, the broker's discovery document and JWKS must be public, and the broker's clock must be right",
  unauthorized_client:
    "the provider's attribute condition does not allow this job. Compare the condition with the claims of the broker's token",
  invalid_request: `the request is invalid. Most often the provider's attribute mapping fails, or makes a google.subject of more than ${SUBJECT_LIMIT.bytes} bytes`,
  invalid_scope: "Google does not know one of the grant's scopes",
  access_denied: "an organisation policy or a VPC Service Controls perimeter blocks the broker",
  SECURITY_POLICY_VIOLATED: "a VPC Service Controls perimeter keeps the broker out",
  SERVICE_DISABLED: "the Security Token Service API is off. Enable sts.googleapis.com in the pool's project",
}

/**
 * The meaning of STS's codes for a job whose `sub` has this many bytes. Loading refuses policies with a longer `sub` than
 * Google takes, but published policies may have been loaded by an older version.
 */
export function stsRefusals(subjectBytes: number): Sentences {
  if (subjectBytes <= SUBJECT_LIMIT.bytes) return STS_REFUSALS
  return {
    ...STS_REFUSALS,
    invalid_request: `this job's sub has ${subjectBytes} bytes, but google.subject allows ${SUBJECT_LIMIT.bytes}. Shorten the name of the environment or the grant`,
  }
}

const LIFETIME =
  "more than an hour needs the organisation policy iam.allowServiceAccountCredentialLifetimeExtension, with the service account in its list"

/** What the codes of generateAccessToken mean for a job. */
export const IAM_REFUSALS: Sentences = {
  __proto__: null as never,
  PERMISSION_DENIED:
    "the service account does not allow this job to impersonate it, or does not exist. Give the job's principal roles/iam.workloadIdentityUser on it, or with delegates roles/iam.serviceAccountTokenCreator along the whole chain; a change takes some minutes",
  NOT_FOUND: "the service account does not exist. Compare the grant's service_account and its delegates",
  INVALID_ARGUMENT: `Google does not accept a scope or the ttl: ${LIFETIME}`,
  FAILED_PRECONDITION: `the service account is disabled, or may not have tokens of this lifetime: ${LIFETIME}`,
  UNAUTHENTICATED: "it did not accept the federated token. Check whether the pool or its provider was just changed",
  SECURITY_POLICY_VIOLATED: "a VPC Service Controls perimeter keeps the broker out",
  SERVICE_DISABLED:
    "the IAM Service Account Credentials API is off. Enable iamcredentials.googleapis.com in the pool's project and in the service account's",
}

const THROTTLED: ReadonlySet<string> = new Set(["quota_exceeded", "RESOURCE_EXHAUSTED"])

/** Turns a refusal into one of our errors. It contains no text from Google; only known codes are distinguished. */
export function readRefusal(
  side: OtherSide,
  response: Pick<HttpResponse, "status" | "header" | "body">,
  sentences: Sentences,
): BrokerError {
  const transient = transientFailure(side, response)
  if (transient !== null) return transient
  const codes = codesOf(jsonOf(response))
  if (codes.some((code) => THROTTLED.has(code))) return throttled(side)
  if (codes.length === 0)
    return denied(side, "The answer does not have the form of Google's API. Check the connection's endpoints")
  const code = codes.find((known) => Object.hasOwn(sentences, known))
  if (code !== undefined) return denied(side, `It says ${code}: ${sentences[code]}`)
  return denied(side, "The audit logs of the Security Token Service and of IAM, with data access, have the reason")
}

/**
 * The codes in a refusal, the most specific first: the `error` of OAuth (RFC 6749 section 5.2), or, in Google's own form
 * (AIP-193), the reasons in the details and then the status.
 */
export function codesOf(body: unknown): readonly string[] {
  const error = memberOf(body, "error")
  if (typeof error === "string") return [error]
  const details = memberOf(error, "details")
  const reasons = Array.isArray(details) ? details.map((detail) => memberOf(detail, "reason")) : []
  return [...reasons, memberOf(error, "status")].filter((code) => typeof code === "string")
}
