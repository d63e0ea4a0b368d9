import { AwsV4Signer } from "aws4fetch"
import type { BrokerError } from "../../core/errors.ts"
import { memberOf } from "../../core/policy/plain.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { type Call, denied, jsonOf, type OtherSide, throttled, transientFailure, unavailable } from "../call.ts"
import { type SessionCredentials, THROTTLED } from "./api.ts"
import { endpointOf } from "./partitions.ts"
import type { AwsStoreSettings } from "./store-settings.ts"

/** An operation of a service with AWS's JSON protocol, version 1.1. */
export interface Operation {
  /** The name in endpoints and signatures: `secretsmanager`. */
  readonly service: string
  /** The value of `X-Amz-Target`: `secretsmanager.GetSecretValue`. */
  readonly target: string
}

/** Enough for the largest values of the stores with each byte escaped in JSON (`\u0000`), and for the rest of the answer. */
const MAX_ANSWER_BYTES = 512 * 1024

/**
 * Builds a signed request (AWS Signature Version 4). It is valid for five minutes, so a retry sends the same request.
 *
 * Region, service and time are set here: otherwise the signer derives them from the URL and the machine's clock.
 */
export async function signed(
  { service, target }: Operation,
  input: object,
  connection: Pick<AwsStoreSettings, "region" | "endpoint">,
  session: SessionCredentials,
  now: Date,
): Promise<Call> {
  const url = new URL("/", connection.endpoint ?? endpointOf(service, connection.region)).href
  const body = JSON.stringify(input)
  const signer = new AwsV4Signer({
    method: "POST",
    url,
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": target },
    body,
    accessKeyId: session.accessKeyId.reveal(),
    secretAccessKey: session.secretAccessKey.reveal(),
    sessionToken: session.sessionToken.reveal(),
    service,
    region: connection.region,
    datetime: now.toISOString().replace(/[:-]|\.[0-9]{3}/g, ""),
    // By default, the signer does not sign the content type, but Signature Version 4 requires it.
    allHeaders: true,
  })
  const { headers } = await signer.sign()
  return { method: "POST", url, headers: Object.fromEntries(headers), body, maxBytes: MAX_ANSWER_BYTES }
}

/** The error code of an answer with any status; empty when it has none. Only compare it with known codes. */
export function errorCode(response: Pick<HttpResponse, "body" | "header">): string {
  const type = memberOf(jsonOf(response), "__type")
  const text = typeof type === "string" ? type : (response.header("x-amzn-errortype") ?? "")
  // `com.amazonaws.secretsmanager#ResourceNotFoundException` in the body, `Code:http://...` in the header.
  const [name = ""] = text.split(":")
  return name.slice(name.lastIndexOf("#") + 1)
}

/** The error for throttling or a failure of AWS, which may have the status of a refusal; null for any other answer. */
export function transientAwsFailure(side: OtherSide, response: HttpResponse): BrokerError | null {
  const code = errorCode(response)
  if (THROTTLED.has(code.replace(/Exception$/, ""))) return throttled(side)
  if (FAILED.has(code)) return unavailable(side, `failed for connection ${side.connection} (${code})`)
  return transientFailure(side, response)
}

/** Codes of server failures: of Secrets Manager, of Parameter Store, and those common to all AWS services. */
const FAILED: ReadonlySet<string> = new Set([
  "InternalServiceError",
  "InternalServerError",
  "InternalFailure",
  "ServiceUnavailable",
  "ServiceUnavailableException",
])

/** The error for a refusal of the session or the signature, in contrast to a refusal of the requested values. */
export function refusedSession(side: OtherSide, code: string): BrokerError {
  const remedy = Object.hasOwn(SESSION_REFUSALS, code) ? SESSION_REFUSALS[code] : undefined
  return denied(side, remedy === undefined ? "see the account's CloudTrail for the reason" : `${code}: ${remedy}`)
}

const CLOCK = "check the broker's clock, and that the connection's endpoint is one of its region"
const UNKNOWN_SESSION =
  "this endpoint does not know the session. Check that the region is enabled in the account, and that the connection's endpoint is one of this region"

const SESSION_REFUSALS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  ExpiredTokenException: "AWS considers the session expired. Check the broker's clock",
  RequestExpired: CLOCK,
  InvalidSignatureException: CLOCK,
  SignatureDoesNotMatch: CLOCK,
  UnrecognizedClientException: UNKNOWN_SESSION,
  InvalidClientTokenId: UNKNOWN_SESSION,
  OptInRequired: "the region is not enabled in the account. Enable it there, or use another region",
}
