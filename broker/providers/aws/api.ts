import type { AssumeRoleWithWebIdentityCommandInput, AssumeRoleWithWebIdentityCommandOutput } from "@aws-sdk/client-sts"
import { BrokerError } from "../../core/errors.ts"
import { Secret } from "../../core/secret.ts"
import { HttpError } from "../../ports/http.ts"
import type { Login } from "../../ports/logins.ts"
import { denied, invalid, type OtherSide, readHttpFailure, throttled, unavailable } from "../call.ts"
import { outlives } from "../provider.ts"
import { type Grant, roleParts } from "./grant.ts"

/** The session of a role that the broker requests. */
export interface SessionWish extends Pick<Grant, "role" | "session_policy" | "policy_arns"> {
  /** CloudTrail shows this name. */
  readonly name: string
  readonly seconds: number
  /** The accounts that the role may belong to. */
  readonly accounts: readonly string[]
}

/** Builds the call. Source: AWS STS API Reference, AssumeRoleWithWebIdentity. */
export function buildAssumeRole(wish: SessionWish, token: Secret<string>): AssumeRoleWithWebIdentityCommandInput {
  return {
    RoleArn: wish.role,
    RoleSessionName: wish.name,
    WebIdentityToken: token.reveal(),
    DurationSeconds: wish.seconds,
    ...(wish.session_policy ? { Policy: JSON.stringify(wish.session_policy) } : {}),
    ...(wish.policy_arns ? { PolicyArns: wish.policy_arns.map((arn) => ({ arn })) } : {}),
  }
}

export interface SessionCredentials {
  readonly accessKeyId: Secret<string>
  readonly secretAccessKey: Secret<string>
  readonly sessionToken: Secret<string>
  readonly account: string
}

/**
 * Reads STS's answer and compares it with the request: the same role and account, and no longer lifetime.
 *
 * @throws {BrokerError} `provider_response_invalid` when anything is missing, differs, or has already expired
 */
export function readCredentials(
  side: OtherSide,
  output: AssumeRoleWithWebIdentityCommandOutput,
  wish: SessionWish,
  now: Date,
): Login<SessionCredentials> {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = output.Credentials ?? {}
  if (
    !AccessKeyId ||
    !SecretAccessKey ||
    !SessionToken ||
    !(Expiration instanceof Date) ||
    Number.isNaN(Expiration.getTime())
  ) {
    throw invalid(side, "does not contain complete credentials")
  }
  const wanted = roleParts(wish.role)
  const assumed = /^arn:([a-z-]+):sts::([0-9]{12}):assumed-role\/([^/]+)\/([^/]+)$/.exec(
    output.AssumedRoleUser?.Arn ?? "",
  )
  if (!assumed) throw invalid(side, "does not name the assumed role")
  const account = assumed[2] as string
  // Loading compared only the grant's ARN with the connection's accounts, so the answer is compared with both here.
  if (assumed[1] !== wanted.partition || account !== wanted.account || !wish.accounts.includes(account))
    throw invalid(side, "is for another account")
  if (assumed[3] !== wanted.name) throw invalid(side, "is for another role")
  if (Expiration.getTime() <= now.getTime()) throw invalid(side, "has already expired")
  if (outlives(Expiration, now, wish.seconds)) throw invalid(side, "lives longer than requested")
  return {
    value: {
      accessKeyId: new Secret(AccessKeyId),
      secretAccessKey: new Secret(SecretAccessKey),
      sessionToken: new Secret(SessionToken),
      account,
    },
    endsAt: Expiration,
  }
}

/** For each error code of STS, the reason and what to change. Any other code is also a refusal. */
const REFUSALS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  AccessDenied:
    "the role's trust policy does not allow this token, or the role does not exist. Compare the sub and aud in the trust policy's conditions with those of the token. With session_tags, the trust policy must also allow sts:TagSession",
  InvalidIdentityToken:
    "AWS could not verify the broker's token. Check that the account has an IAM OIDC provider for the broker's URL, that it lists the connection's audience, and that the URL is public",
  ExpiredToken: "AWS considers the broker's token expired. Check the broker's clock",
  IDPRejectedClaim: "AWS refused the broker's token. Check that the IAM OIDC provider lists the connection's audience",
  MalformedPolicyDocument: "the grant's session_policy is not a valid IAM policy",
  PackedPolicyTooLarge:
    "session_policy, policy_arns and session tags together are too large. Shorten the session policy",
  RegionDisabled: "STS is not activated in the connection's region. Activate it in the account, or use another region",
  ValidationError:
    "STS rejected the parameters. Most often, the role's maximum session duration is shorter than the grant's ttl",
}

/** Codes of throttling, without the suffix `Exception`. */
export const THROTTLED: ReadonlySet<string> = new Set(["Throttling", "RequestLimitExceeded", "TooManyRequests"])

/** Refusals that depend on the token's claims. */
const ABOUT_THE_TOKEN: ReadonlySet<string> = new Set(["AccessDenied", "InvalidIdentityToken", "IDPRejectedClaim"])

/**
 * Turns an error of the call into a BrokerError. It repeats no text of STS, and only distinguishes known codes. `token` has
 * the claims of the broker's token, so that the reader can compare them with the role's trust policy.
 */
export function readFailure(
  side: OtherSide,
  error: unknown,
  token: { readonly subject: string; readonly audience: string },
): BrokerError {
  const connection = `connection ${side.connection}`
  if (error instanceof BrokerError) return error
  if (error instanceof HttpError) return readHttpFailure(side, error.reason)
  const { name, status } = describe(error)
  if (THROTTLED.has(name) || status === 429) return throttled(side)
  if (name === "IDPCommunicationError") {
    const remedy = "Check that the broker's discovery document and JWKS are public"
    return unavailable(side, `could not fetch the broker's keys for ${connection}. ${remedy}`)
  }
  if (status !== undefined && status >= 500) return unavailable(side, `failed for ${connection} (HTTP ${status})`)
  if (status !== undefined && status >= 400) {
    const remedy = Object.hasOwn(REFUSALS, name)
      ? `${name}: ${REFUSALS[name]}`
      : "see the account's CloudTrail for the reason"
    const said = ABOUT_THE_TOKEN.has(name) ? `. The token's sub is ${token.subject}, its aud ${token.audience}` : ""
    return denied(side, `${remedy}${said}`)
  }
  return new BrokerError(
    "provider_response_invalid",
    `AWS STS's answer for ${connection} could not be read. Check the connection's endpoint.`,
  )
}

/** The SDK's error: STS's code without the suffix `Exception`, empty without one, and the HTTP status. */
export function describe(error: unknown): { name: string; status: number | undefined } {
  if (!(error instanceof Error)) return { name: "", status: undefined }
  const metadata = (error as { $metadata?: { httpStatusCode?: unknown } }).$metadata
  const status = metadata?.httpStatusCode
  // The SDK names its classes after STS's error codes, some with and some without this suffix.
  return { name: error.name.replace(/Exception$/, ""), status: typeof status === "number" ? status : undefined }
}
