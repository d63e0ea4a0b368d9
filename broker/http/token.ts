import { BrokerError } from "../core/errors.ts"
import type { OneToken } from "../providers/provider.ts"
import { type ErrorCode, PROBLEMS } from "../wire/error-codes.ts"
import { MAX_AUTHORIZATION_CHARACTERS } from "./limits.ts"
import type { OneTokenAnswer, OneTokenCall } from "./one-token.ts"
import { asFault, retryHeaders } from "./problem.ts"
import { GRANT_NAME } from "./request.ts"

/** The token endpoint (RFC 6749, section 3.2), below the broker's URL. */
export const TOKEN_PATH = "/v1/token"

/** RFC 8693, section 2.1. */
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"

/** RFC 8693, section 3. */
const TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"

/** What a client can say here. RFC 6749, section 3.2: each at most once; empty is the same as absent; others are ignored. */
const PARAMETERS = [
  "grant_type",
  "subject_token",
  "subject_token_type",
  "scope",
  "requested_token_type",
  "actor_token",
  "resource",
  "audience",
] as const

export interface TokenRequest extends Pick<OneTokenCall, "grant" | "unfit"> {
  readonly subjectToken: string
  /** The `requested_token_type`, without its prefix. */
  readonly requested: OneToken["type"] | undefined
}

/** An error with its own code of OAuth, where that does not follow from ours. */
export class OAuthError extends BrokerError {
  readonly error: string

  constructor(error: string, detail: string, code: ErrorCode = "request_malformed") {
    super(code, detail)
    this.error = error
  }
}

/**
 * Parses a token exchange (RFC 8693, section 2.1). `scope` is the name of one grant. The policy says what a grant is for, so
 * `resource` and `audience` are refused: the client would believe that they narrow the token.
 *
 * @throws {BrokerError} `request_malformed`, `token_missing`, `token_malformed`
 */
export function parseTokenRequest(form: URLSearchParams): TokenRequest {
  const given = Object.fromEntries(PARAMETERS.map((name) => [name, form.getAll(name).filter((text) => text !== "")]))
  const valuesOf = (name: (typeof PARAMETERS)[number]) => given[name] ?? []
  const once = (name: (typeof PARAMETERS)[number]): string | undefined => {
    const [value, ...more] = valuesOf(name)
    if (more.length > 0) throw new OAuthError("invalid_request", `Send ${name} once.`)
    return value
  }
  const grantType = once("grant_type")
  if (grantType !== TOKEN_EXCHANGE) {
    const error = grantType === undefined ? "invalid_request" : "unsupported_grant_type"
    throw new OAuthError(error, `The grant_type must be ${TOKEN_EXCHANGE}.`)
  }
  if (valuesOf("resource").length > 0 || valuesOf("audience").length > 0) {
    throw new OAuthError(
      "invalid_target",
      "Leave out resource and audience. The scope names a grant, and the policy says what its token is for.",
    )
  }
  if (once("actor_token") !== undefined) {
    throw new OAuthError("invalid_request", "Leave out actor_token: a job acts for itself.")
  }
  const type = once("subject_token_type")
  if (type !== `${TOKEN_TYPE}id_token` && type !== `${TOKEN_TYPE}jwt`) {
    throw new OAuthError("invalid_request", `The subject_token_type must be ${TOKEN_TYPE}id_token or ${TOKEN_TYPE}jwt.`)
  }
  const requested = requestedType(once("requested_token_type"))
  const grant = once("scope")
  if (grant === undefined || !GRANT_NAME.test(grant)) {
    throw new OAuthError("invalid_scope", "The scope must be the name of one grant.")
  }
  return { grant, requested, subjectToken: subjectToken(once("subject_token")), unfit: unfitFor(requested) }
}

function requestedType(text: string | undefined): OneToken["type"] | undefined {
  if (text === undefined) return undefined
  const type = (["access_token", "jwt"] as const).find((one) => text === TOKEN_TYPE + one)
  if (type !== undefined) return type
  const message = `The requested_token_type must be ${TOKEN_TYPE}access_token or ${TOKEN_TYPE}jwt, or be left out.`
  throw new OAuthError("invalid_request", message)
}

function subjectToken(text: string | undefined): string {
  if (text === undefined) throw new BrokerError("token_missing", "Send the job's OIDC token as subject_token.")
  if (text.length <= MAX_AUTHORIZATION_CHARACTERS && /^[A-Za-z0-9._~+/=-]+$/.test(text)) return text
  throw new BrokerError("token_malformed", "The subject_token must be the job's OIDC token, of at most 16 KiB.")
}

/** Every token can be used as an access token. Only some are JWTs that their holder can read. */
const unfitFor = (requested: OneToken["type"] | undefined) => (token: OneToken) => {
  if (requested !== "jwt" || token.type === "jwt") return null
  return new OAuthError("invalid_request", `This grant is not a JWT: request ${TOKEN_TYPE}access_token.`)
}

/** The answer by RFC 8693, section 2.2.1, with the lease that ends the token. */
export function tokenResponse({ requested, grant }: TokenRequest, answer: OneTokenAnswer): Response {
  const { token, type, expiresInSeconds, lease } = answer
  return Response.json({
    access_token: token,
    issued_token_type: TOKEN_TYPE + (requested ?? type),
    token_type: "Bearer",
    ...(expiresInSeconds === undefined ? {} : { expires_in: expiresInSeconds }),
    scope: grant,
    lease,
  })
}

/** Codes whose status tells a client when to retry. All other refusals are 400, as RFC 6749 section 5.2 says. */
const OWN_STATUS: ReadonlySet<ErrorCode> = new Set(["quota_exceeded", "request_too_large", "wrong_host"])

/** The refusal by RFC 6749, section 5.2. `code` is the broker's own. */
export function tokenRefusal(error: unknown, requestId: string): Response {
  const fault = asFault(error)
  const { code } = fault
  const { status } = PROBLEMS[code]
  const body = {
    error: fault instanceof OAuthError ? fault.error : oauthErrorOf(code),
    error_description: asciiOf(fault.detail),
    code,
    request_id: requestId,
  }
  return Response.json(body, {
    status: status >= 500 || OWN_STATUS.has(code) ? status : 400,
    headers: [...retryHeaders(fault)],
  })
}

/**
 * RFC 8693 section 2.2.2 wants `invalid_request` for a subject token that is invalid or unacceptable. RFC 6749 registers no
 * error for a server that fails; these two are its section 4.1.2.1's, and clients know them.
 */
function oauthErrorOf(code: ErrorCode): string {
  if (code === "not_allowed" || code === "policy_invalid") return "invalid_scope"
  const { status } = PROBLEMS[code]
  if (status === 429 || status === 503) return "temporarily_unavailable"
  return status >= 500 ? "server_error" : "invalid_request"
}

/** `error_description` has printable ASCII without quotes and backslashes, and here a bounded length. */
const asciiOf = (text: string): string =>
  text
    .slice(0, 4_096)
    .replaceAll('"', "'")
    .replace(/[^\x20-\x5b\x5d-\x7e]/g, "?")
