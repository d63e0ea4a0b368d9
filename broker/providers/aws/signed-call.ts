import { AwsV4Signer } from "aws4fetch"
import type { BrokerError } from "../../core/errors.ts"
import { memberOf } from "../../core/policy/plain.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { type Call, denied, jsonOf, type OtherSide, throttled, transientFailure, unavailable } from "../call.ts"
import { type SessionCredentials, THROTTLED } from "./api.ts"
import { endpointOf } from "./partitions.ts"
import type { AwsStoreSettings } from "./store-settings.ts"

/** One operation of a service that speaks AWS's JSON protocol, version 1.1. */
export interface Operation {
  /** As in endpoints and signatures: `secretsmanager`. */
  readonly service: string
  /** As in `X-Amz-Target`: `secretsmanager.GetSecretValue`. */
  readonly target: string
}

/** The largest answer: what the stores keep at most, each byte escaped as JSON at worst (`\u0000`), and what is about it. */
const MAX_ANSWER_BYTES = 512 * 1024

/**
 * Builds a signed request (AWS Signature Version 4). It is good for five minutes, so that a retry sends the very same.
 *
 * Region, service and time are given: the signer would guess them from the URL and the machine's clock.
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
    // The content type is not among what the signer signs by itself, and Signature Version 4 wants it to be.
    allHeaders: true,
  })
  const { headers } = await signer.sign()
  return { method: "POST", url, headers: Object.fromEntries(headers), body, maxBytes: MAX_ANSWER_BYTES }
}

/** The code of a refusal, whatever its status; empty when the answer has none. Only ever to compare with known ones. */
export function errorCode(response: Pick<HttpResponse, "body" | "header">): string {
  const type = memberOf(jsonOf(response), "__type")
  const text = typeof type === "string" ? type : (response.header("x-amzn-errortype") ?? "")
  // `com.amazonaws.secretsmanager#ResourceNotFoundException` in the body, `Code:http://...` in the header.
  const [name = ""] = text.split(":")
  return name.slice(name.lastIndexOf("#") + 1)
}

/** AWS throttles and fails with codes of its own, some with the status of a refusal. Null when it is none of these. */
export function transientAwsFailure(side: OtherSide, response: HttpResponse): BrokerError | null {
  const code = errorCode(response)
  if (THROTTLED.has(code.replace(/Exception$/, ""))) return throttled(side)
  if (FAILED.has(code)) return unavailable(side, `failed for connection ${side.connection} (${code})`)
  return transientFailure(side, response)
}

/** Failures of the service's own: Secrets Manager's, Parameter Store's, and those that all of AWS's have in common. */
const FAILED: ReadonlySet<string> = new Set([
  "InternalServiceError",
  "InternalServerError",
  "InternalFailure",
  "ServiceUnavailable",
  "ServiceUnavailableException",
])

/** What a refusal means that is about the session or the signature, and not about what was asked for. */
export function refusedSession(side: OtherSide, code: string): BrokerError {
  const remedy = Object.hasOwn(SESSION_REFUSALS, code) ? SESSION_REFUSALS[code] : undefined
  return denied(side, remedy === undefined ? "see the account's CloudTrail for the reason" : `${code}: ${remedy}`)
}

const CLOCK = "check the broker's clock, and that the connection's endpoint is one of its region"
const UNKNOWN_SESSION =
  "this endpoint does not know the session. See that the region is enabled in the account, and that the connection's endpoint is one of this region"

const SESSION_REFUSALS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  ExpiredTokenException: "AWS held the session to be over. Check the broker's clock",
  RequestExpired: CLOCK,
  InvalidSignatureException: CLOCK,
  SignatureDoesNotMatch: CLOCK,
  UnrecognizedClientException: UNKNOWN_SESSION,
  InvalidClientTokenId: UNKNOWN_SESSION,
  OptInRequired: "the region is not enabled in the account",
}
