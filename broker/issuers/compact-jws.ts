import { decodeBase64url, isBase64url } from "../core/base64url.ts"
import { fail, ok, type Result } from "../core/result.ts"
import { type JsonObject, parseStrictJsonObject } from "./strict-json.ts"

/** Much longer than any issuer's token. Longer texts are refused before they are parsed. */
export const MAX_TOKEN_BYTES = 16 * 1024

export interface CompactJws {
  readonly alg: string
  readonly kid: string
  /** Not trusted until the signature is verified. It has no prototype, and neither do the objects inside. */
  readonly payload: JsonObject
  /** The signed text of header and payload. The strict parser allows only one text for the same bytes. */
  readonly signingInput: string
}

/** The parts of a compact JWS whose header and payload are JSON objects. */
export interface JwsParts {
  readonly header: JsonObject
  readonly payload: JsonObject
  readonly signingInput: string
}

/**
 * Parses a compact JWS (RFC 7515 section 7.1) of at most `maxBytes`, whose payload is a JSON object. Checks only its form: not
 * what its header says, no signature, no claims. Pure, never throws, and its faults quote nothing of the text.
 */
export function parseJws(token: string, maxBytes: number): Result<JwsParts, string> {
  if (token.length > maxBytes) return fail(`is longer than ${maxBytes / 1024} KiB`)
  const parts = token.split(".", 4)
  const [header, payload, signature] = parts
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    return fail("must have three parts, separated by dots")
  }
  const headerBytes = decodeBase64url(header)
  const payloadBytes = decodeBase64url(payload)
  if (!headerBytes || !payloadBytes || !isBase64url(signature)) {
    return fail("must have only parts in strict base64url (no padding, no white space, no stray bits)")
  }
  const parsedHeader = parseStrictJsonObject(headerBytes)
  if (!parsedHeader.ok) return fail(`has a header that ${parsedHeader.fault}`)
  const parsedPayload = parseStrictJsonObject(payloadBytes)
  if (!parsedPayload.ok) return fail(`has a payload that ${parsedPayload.fault}`)
  const signingInput = token.slice(0, header.length + 1 + payload.length)
  return ok({ header: parsedHeader.value, payload: parsedPayload.value, signingInput })
}

/**
 * Parses a subject token. Checks only its form, and neither signature nor claims.
 *
 * The header may contain only `alg`, `kid`, `typ` and `x5t`: with `jwk`, `jku`, `x5c` and `x5u` an attacker supplies the
 * key, `crit` and `b64` change what the signature covers, and `zip` makes a small token expand. Pure, never throws, and its
 * faults quote nothing of the token.
 */
export function parseCompactJws(token: string): Result<CompactJws, string> {
  const parsed = parseJws(token, MAX_TOKEN_BYTES)
  if (!parsed.ok) return parsed
  const { header, payload, signingInput } = parsed.value
  const checkedHeader = checkHeader(header)
  return checkedHeader.ok ? ok({ ...checkedHeader.value, payload, signingInput }) : checkedHeader
}

const HEADER_MEMBERS: ReadonlySet<string> = new Set(["alg", "kid", "typ", "x5t"])
const MAX_KID_CHARACTERS = 256

function checkHeader(header: JsonObject): Result<Pick<CompactJws, "alg" | "kid">, string> {
  for (const name of Object.keys(header)) {
    if (!HEADER_MEMBERS.has(name)) return fail("must not have header members other than alg, kid, typ and x5t")
  }
  const { alg, kid, typ, x5t } = header
  if (typeof alg !== "string") return fail("must have an alg in its header")
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_CHARACTERS) {
    return fail(`must have a kid of 1 to ${MAX_KID_CHARACTERS} characters in its header`)
  }
  if (typ !== undefined && typ !== "JWT") return fail("must have the typ JWT, or no typ")
  if (x5t !== undefined && typeof x5t !== "string") return fail("must have a string as x5t, or no x5t")
  return ok({ alg, kid })
}
