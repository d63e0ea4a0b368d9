import { BrokerError } from "../core/errors.ts"
import type { ClaimValue } from "../core/identity.ts"
import { thumbprintText } from "../core/thumbprint.ts"
import type { Cryptography } from "../ports/cryptography.ts"
import type { PublicJwk } from "../wire/exchange.ts"
import { parseJws } from "./compact-jws.ts"
import { COORDINATE, isFieldElement } from "./public-jwk.ts"
import type { JsonObject } from "./strict-json.ts"

/** The allowed difference between the client's clock and ours, in seconds, in both directions. */
const PROOF_WINDOW_SECONDS = 60

/** Much longer than a proof for any URL of a broker. */
const MAX_PROOF_BYTES = 4 * 1024
const MAX_JTI_CHARACTERS = 256

/** The call that a proof must be for. */
export interface ProvedCall {
  /** In capitals. */
  readonly method: string
  /** The call's public URL, normalised, without query and fragment. */
  readonly url: string
  /** The subject token as it was sent. */
  readonly token: string
  readonly now: Date
}

export interface VerifiedProof {
  /** RFC 7638 thumbprint of the key that signed. */
  readonly thumbprint: string
  /** SHA-256 over the `jti`, base64url. The ledger accepts each once with a token. */
  readonly id: string
}

/**
 * Verifies a DPoP proof by all of RFC 9449, section 4.3, except that its `jti` was never seen: the ledger knows that.
 *
 * Only ES256: the key is also the one that the answer is encrypted to, so it is on P-256. There is no server nonce. It would
 * cost every call a second one, and keeps only proofs away that were made in advance: those name a token that exists, and
 * are refused outside of the window of `iat`.
 *
 * @throws {BrokerError} `proof_invalid`; the sentence names what to correct, and quotes nothing of the proof
 */
export async function verifyProof(text: string, call: ProvedCall, cryptography: Cryptography): Promise<VerifiedProof> {
  // A comma joins several headers of one name (RFC 9110 section 5.3).
  if (text.includes(",")) throw invalid("must come in exactly one DPoP header")
  const parsed = parseJws(text, MAX_PROOF_BYTES)
  if (!parsed.ok) throw invalid(parsed.fault)
  const { header, payload } = parsed.value
  const jwk = keyIn(header)
  const fault = faultOfClaims(payload, call, cryptography)
  if (fault !== null) throw invalid(fault)

  // Importing the key checks that the point is on the curve.
  const key = await cryptography.verifyingKey(jwk, "ES256")
  if (key === null) throw invalid("must have a point on the curve P-256 as jwk")
  if (!(await key.verifies(text, "ES256"))) throw invalid("must be signed with the private key of its jwk")
  const { digest } = cryptography
  return { thumbprint: digest(thumbprintText(jwk)), id: digest(String(payload["jti"])) }
}

const HEADER_MEMBERS: ReadonlySet<string> = new Set(["typ", "alg", "jwk"])
const JWK_MEMBERS: ReadonlySet<string> = new Set(["kty", "crv", "x", "y"])

/** The key in a proof's header. Every other member of the header could change what the signature covers, or its key. */
function keyIn(header: JsonObject): PublicJwk {
  if (!Object.keys(header).every((name) => HEADER_MEMBERS.has(name)))
    throw invalid("must have no header members other than typ, alg and jwk")
  const { typ, alg, jwk } = header
  if (typ !== "dpop+jwt") throw invalid("must have the typ dpop+jwt")
  if (alg !== "ES256") throw invalid("must be signed with ES256")
  if (!isObject(jwk)) throw invalid("must have the public key as jwk in its header")
  if ("d" in jwk) throw invalid("has a private key in its header: make a new key, and send only its public half")
  if (!Object.keys(jwk).every((name) => JWK_MEMBERS.has(name)))
    throw invalid("must have no members other than kty, crv, x and y in its jwk")
  const { kty, crv, x, y } = jwk
  if (kty !== "EC" || crv !== "P-256" || !isCoordinate(x) || !isCoordinate(y))
    throw invalid("must have a key on P-256 as jwk: kty EC, crv P-256, and x and y of 32 bytes in strict base64url")
  return { kty, crv, x, y }
}

const isCoordinate = (value: ClaimValue | undefined): value is string =>
  typeof value === "string" && COORDINATE.test(value) && isFieldElement(value)

const isObject = (value: ClaimValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

function faultOfClaims(
  { jti, htm, htu, iat, ath }: JsonObject,
  call: ProvedCall,
  { digest }: Cryptography,
): string | null {
  if (typeof jti !== "string" || jti === "" || jti.length > MAX_JTI_CHARACTERS)
    return `must have a jti of 1 to ${MAX_JTI_CHARACTERS} characters`
  if (htm !== call.method) return `must have the method of this call, ${call.method}, as htm`
  if (typeof htu !== "string" || targetOf(htu) !== call.url)
    return `must have the URL of this call, ${call.url}, as htu`
  if (!Number.isSafeInteger(iat)) return "must have a time in whole seconds as iat"
  const behind = call.now.getTime() / 1000 - Number(iat)
  if (Math.abs(behind) > PROOF_WINDOW_SECONDS) {
    const off = `${Math.round(Math.abs(behind))} s ${behind > 0 ? "before" : "after"} the broker's time`
    return `has an iat of ${off}, and at most ${PROOF_WINDOW_SECONDS} s are allowed: make a new proof for each call, and check the clocks`
  }
  if (ath !== digest(call.token)) return "must have the SHA-256 of the subject token in base64url as ath"
  return null
}

/** The URL without query and fragment, normalised as RFC 9449 section 4.3 asks; null for what is no URL of a call. */
function targetOf(url: string): string | null {
  if (!URL.canParse(url)) return null
  const { origin, pathname, username, password } = new URL(url)
  return username === "" && password === "" ? `${origin}${pathname}` : null
}

const invalid = (fault: string) => new BrokerError("proof_invalid", `The DPoP proof ${fault}.`)
