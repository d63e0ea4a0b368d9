import type { BrokerError } from "../../core/errors.ts"
import { memberOf } from "../../core/policy/plain.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { denied, jsonOf, type OtherSide, passingFailure, throttled } from "../call.ts"

/** What a refusal's code means for a job, and what to change. */
type Sentences = Readonly<Record<string, string>>

/** The most that `google.subject` can hold (IAM reference, WorkloadIdentityPoolProvider, attributeMapping), in bytes. */
const MAX_SUBJECT_BYTES = 127

const STS_REFUSALS: Sentences = {
  __proto__: null as never,
  invalid_target:
    "the workload identity pool or its provider is not there, or is disabled. Compare the connection's workload_identity_provider, which has the project's number and not its id",
  invalid_grant:
    "it did not take the broker's token. The provider's issuer must be the broker's URL to the letter, its allowed audiences must hold the connection's audience, the broker's discovery document and JWKS must be public, and the broker's clock right",
  unauthorized_client:
    "the provider's attribute condition does not admit this job. Compare the condition with the claims of the broker's token",
  invalid_request: `the request does not hold. Most often the provider's attribute mapping cannot be followed, or makes a google.subject of more than ${MAX_SUBJECT_BYTES} bytes`,
  invalid_scope: "one of the grant's scopes is none that Google knows",
  access_denied: "an organisation policy or a VPC Service Controls perimeter keeps the broker out",
  SECURITY_POLICY_VIOLATED: "a VPC Service Controls perimeter keeps the broker out",
  SERVICE_DISABLED: "the Security Token Service API is off. Enable sts.googleapis.com in the pool's project",
}

/** What STS's codes mean for a job whose `sub` has so many bytes. */
export function stsRefusals(subjectBytes: number): Sentences {
  if (subjectBytes <= MAX_SUBJECT_BYTES) return STS_REFUSALS
  return {
    ...STS_REFUSALS,
    invalid_request: `this job's sub has ${subjectBytes} bytes, and google.subject holds ${MAX_SUBJECT_BYTES}. Where the provider maps the one to the other, map something shorter, and the sub to an attribute of its own; or shorten the name of the environment or of the grant`,
  }
}

const LIFETIME =
  "more than an hour needs the organisation policy iam.allowServiceAccountCredentialLifetimeExtension, with the service account in its list"

/** What the codes of generateAccessToken mean for a job. */
export const IAM_REFUSALS: Sentences = {
  __proto__: null as never,
  PERMISSION_DENIED:
    "the service account does not let this job in, or is not there. Give the job's principal roles/iam.workloadIdentityUser on it, or with delegates roles/iam.serviceAccountTokenCreator all along the chain; a change takes some minutes",
  NOT_FOUND: "there is no such service account. Compare the grant's service_account and its delegates",
  INVALID_ARGUMENT: `a scope or the ttl is not one that Google takes: ${LIFETIME}`,
  FAILED_PRECONDITION: `the service account is disabled, or may not have tokens of this lifetime: ${LIFETIME}`,
  UNAUTHENTICATED: "it did not take the federated token. See whether the pool or its provider has just been changed",
  SECURITY_POLICY_VIOLATED: "a VPC Service Controls perimeter keeps the broker out",
  SERVICE_DISABLED:
    "the IAM Service Account Credentials API is off. Enable iamcredentials.googleapis.com in the pool's project and in the service account's",
}

const THROTTLED: ReadonlySet<string> = new Set(["quota_exceeded", "RESOURCE_EXHAUSTED"])

/** Turns an answer that is no success into one of our errors. What Google wrote stays out of it; only known codes are told apart. */
export function readRefusal(
  side: OtherSide,
  response: Pick<HttpResponse, "status" | "header" | "body">,
  sentences: Sentences,
): BrokerError {
  const passing = passingFailure(side, response)
  if (passing !== null) return passing
  const codes = codesOf(jsonOf(response))
  if (codes.some((code) => THROTTLED.has(code))) return throttled(side)
  if (codes.length === 0)
    return denied(side, "What answered does not speak as Google's API does. Compare the connection's endpoints")
  const code = codes.find((known) => Object.hasOwn(sentences, known))
  if (code !== undefined) return denied(side, `It says ${code}: ${sentences[code]}`)
  return denied(side, "See the audit logs of the Security Token Service and of IAM, with data access, for the reason")
}

/**
 * The codes in a refusal, the most telling first: the `error` of OAuth (RFC 6749 section 5.2), or of Google's own form
 * (AIP-193) the reasons in the details and then the status.
 */
function codesOf(body: unknown): readonly string[] {
  const error = memberOf(body, "error")
  if (typeof error === "string") return [error]
  const details = memberOf(error, "details")
  const reasons = Array.isArray(details) ? details.map((detail) => memberOf(detail, "reason")) : []
  return [...reasons, memberOf(error, "status")].filter((code) => typeof code === "string")
}
