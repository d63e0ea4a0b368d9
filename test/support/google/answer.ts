import { mediaTypeOf } from "../servers.ts"

/** A refusal in OAuth's form, as STS gives it (RFC 6749 section 5.2). */
export class OAuthRefusal extends Error {
  override readonly name = "OAuthRefusal"
  readonly status: number
  readonly error: string

  constructor(error: string, description: string, status = 400) {
    super(description)
    this.error = error
    this.status = status
  }
}

/** The status of each code that the stand-in gives (google.rpc.Code). */
const STATUSES = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
} as const

export type ApiCode = keyof typeof STATUSES

/** A refusal in the form of Google's APIs (AIP-193). */
export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal"
  readonly code: ApiCode
  readonly reason: string | undefined

  constructor(code: ApiCode, message: string, reason?: string) {
    super(message)
    this.code = code
    this.reason = reason
  }
}

/** What is said to a caller: status, body, and a word for the log. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly word: string
}

export const granted = (body: unknown): Answer => ({ status: 200, body, word: "200" })

/** Words a refusal as Google does. What is no refusal is a fault of the stand-in, and is thrown again. */
export function refused(error: unknown): Answer {
  if (error instanceof OAuthRefusal) {
    const body = { error: error.error, error_description: error.message }
    return { status: error.status, body, word: `${error.status} ${error.error}` }
  }
  if (!(error instanceof ApiRefusal)) throw error
  const { code, message, reason } = error
  const status = STATUSES[code]
  const info = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com" }
  const details = reason === undefined ? {} : { details: [info] }
  return { status, body: { error: { code: status, message, status: code, ...details } }, word: `${status} ${code}` }
}

/** The body as a JSON object with no member but these, as gRPC transcoding reads it. @throws {ApiRefusal} */
export function readMembers(
  contentType: string | undefined,
  text: string | null,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  const body = mediaTypeOf(contentType) === "application/json" ? parse(text ?? "") : undefined
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new ApiRefusal("INVALID_ARGUMENT", "Invalid JSON payload received. Unexpected token.")
  const stranger = Object.keys(body).find((name) => !known.includes(name))
  if (stranger !== undefined)
    throw new ApiRefusal(
      "INVALID_ARGUMENT",
      `Invalid JSON payload received. Unknown name "${stranger}": Cannot find field.`,
    )
  return body as Readonly<Record<string, unknown>>
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
