import { randomBytes, randomUUID } from "node:crypto"

/** Every refusal of the token endpoint that the stand-in gives: Entra's number, its status, and OAuth's word for it. */
export const ENTRA_ERRORS = {
  28002: { status: 400, error: "invalid_scope" },
  50027: { status: 401, error: "invalid_client" },
  50166: { status: 400, error: "invalid_request" },
  50196: { status: 400, error: "invalid_grant" },
  53003: { status: 400, error: "access_denied" },
  70003: { status: 400, error: "unsupported_grant_type" },
  70011: { status: 400, error: "invalid_scope" },
  70025: { status: 401, error: "invalid_client" },
  90002: { status: 400, error: "invalid_request" },
  90013: { status: 400, error: "invalid_request" },
  90033: { status: 503, error: "temporarily_unavailable" },
  500011: { status: 400, error: "invalid_resource" },
  700016: { status: 400, error: "unauthorized_client" },
  700024: { status: 401, error: "invalid_client" },
  700027: { status: 401, error: "invalid_client" },
  700211: { status: 401, error: "invalid_client" },
  700212: { status: 401, error: "invalid_client" },
  700213: { status: 401, error: "invalid_client" },
  900144: { status: 400, error: "invalid_request" },
  1002012: { status: 400, error: "invalid_scope" },
  7000112: { status: 400, error: "unauthorized_client" },
  7000216: { status: 401, error: "invalid_client" },
  7000218: { status: 401, error: "invalid_client" },
} as const satisfies Record<number, { readonly status: number; readonly error: string }>

export type EntraCode = keyof typeof ENTRA_ERRORS

/** A refusal, in Entra's words. */
export class EntraRefusal extends Error {
  override readonly name = "EntraRefusal"
  readonly code: EntraCode

  constructor(code: EntraCode, message: string) {
    super(message)
    this.code = code
  }

  get status(): number {
    return ENTRA_ERRORS[this.code].status
  }
}

/** The body of a refusal: a sentence with ids and the time behind it, and the same once more as members. */
export function errorBody({ code, message }: EntraRefusal): string {
  const [trace, correlation] = [randomUUID(), randomUUID()]
  const timestamp = new Date()
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z")
  return JSON.stringify({
    error: ENTRA_ERRORS[code].error,
    error_description: `AADSTS${code}: ${message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  })
}

/** What the stand-in handed out. Kept, so that a test can say whether what arrived in the job is what left. */
export interface IssuedToken {
  readonly accessToken: string
  readonly clientId: string
  readonly resource: string
  /** The `sub` of the token that it was given for. */
  readonly subject: string
  readonly expiresIn: number
}

export function successBody({ accessToken, expiresIn }: IssuedToken): string {
  return JSON.stringify({
    token_type: "Bearer",
    expires_in: expiresIn,
    ext_expires_in: expiresIn,
    access_token: accessToken,
  })
}

/** A token of the shape that Entra's have: about 1,400 characters, and nobody's to read but its resource's. */
export function makeToken(): string {
  const header = Buffer.from(JSON.stringify({ typ: "JWT", alg: "RS256", kid: randomBytes(20).toString("base64url") }))
  return [header, randomBytes(700), randomBytes(256)].map((part) => part.toString("base64url")).join(".")
}
