import { fail, ok, type Result } from "../core/result.ts"
import { decodeBase64url, isBase64url } from "./base64url.ts"
import { type JsonObject, parseStrictJsonObject } from "./strict-json.ts"

/** No issuer's token comes near this; whatever is longer is not read at all. */
export const MAX_TOKEN_BYTES = 16 * 1024

export interface CompactJws {
  readonly alg: string
  readonly kid: string
  /** Unverified until the signature is. Without a prototype, like every object inside. */
  readonly payload: JsonObject
  /** Header and payload as they are signed. There is one text for one pair of byte strings: the parser is strict. */
  readonly signingInput: string
}

/**
 * Parses a compact JWS (RFC 7515 section 7.1) whose payload is a JSON object, checking its form and nothing of its
 * meaning: no signature, no claim.
 *
 * The header may hold `alg`, `kid`, `typ` and `x5t` and nothing else: `jwk`, `jku`, `x5c` and `x5u` bring their own
 * key, `crit` and `b64` change what the signature covers, `zip` expands. Pure, never throws, and its faults quote
 * nothing of the token.
 */
export function parseCompactJws(token: string): Result<CompactJws, string> {
  if (token.length > MAX_TOKEN_BYTES) return fail(`is longer than ${MAX_TOKEN_BYTES / 1024} KiB`)
  const parts = token.split(".", 4)
  const [header, payload, signature] = parts
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) {
    return fail("is not three parts with dots between them")
  }
  const headerBytes = decodeBase64url(header)
  const payloadBytes = decodeBase64url(payload)
  if (!headerBytes || !payloadBytes || !isBase64url(signature)) {
    return fail("has a part that is not strict base64url (no padding, no white space, no stray bits)")
  }

  const parsedHeader = parseStrictJsonObject(headerBytes)
  if (!parsedHeader.ok) return fail(`has a header that ${parsedHeader.fault}`)
  const checkedHeader = checkHeader(parsedHeader.value)
  if (!checkedHeader.ok) return checkedHeader

  const parsedPayload = parseStrictJsonObject(payloadBytes)
  if (!parsedPayload.ok) return fail(`has a payload that ${parsedPayload.fault}`)

  return ok({
    ...checkedHeader.value,
    payload: parsedPayload.value,
    signingInput: token.slice(0, header.length + 1 + payload.length),
  })
}

const HEADER_MEMBERS: ReadonlySet<string> = new Set(["alg", "kid", "typ", "x5t"])
const MAX_KID_CHARACTERS = 256

function checkHeader(header: JsonObject): Result<Pick<CompactJws, "alg" | "kid">, string> {
  for (const name of Object.keys(header)) {
    if (!HEADER_MEMBERS.has(name)) return fail("has a header with members other than alg, kid, typ and x5t")
  }
  const { alg, kid, typ, x5t } = header
  if (typeof alg !== "string") return fail("has a header without alg")
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_CHARACTERS) {
    return fail(`has a header without a kid of 1 to ${MAX_KID_CHARACTERS} characters`)
  }
  if (typ !== undefined && typ !== "JWT") return fail("has a typ other than JWT")
  if (x5t !== undefined && typeof x5t !== "string") return fail("has an x5t that is not a string")
  return ok({ alg, kid })
}
