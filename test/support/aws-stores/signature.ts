import { createHash, createHmac, timingSafeEqual } from "node:crypto"
import type { IncomingHttpHeaders } from "node:http"
import type { IssuedCredentials } from "../sts/answer.ts"
import { StoreRefusal } from "./refusal.ts"

const MAX_SKEW_MS = 5 * 60_000
/** The least that a signature covers, besides whatever else of AWS's own headers is there. */
const MUST_BE_SIGNED = ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"]
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]{16,128})\/([0-9]{8})\/([a-z0-9-]+)\/([a-z]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/

export interface SignedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/**
 * Verifies a request's signature as AWS does, Signature Version 4, written from its specification: with the secret key of
 * the session that STS handed out for this access key, whose session token must be there, too.
 * @throws {StoreRefusal}
 */
export function verifySignature(
  request: SignedRequest,
  at: { readonly region: string; readonly service: string },
  sessions: readonly IssuedCredentials[],
): IssuedCredentials {
  const { headers } = request
  if (headers.authorization === undefined)
    throw new StoreRefusal("MissingAuthenticationTokenException", "Missing Authentication Token")
  const parts = AUTHORIZATION.exec(headers.authorization)
  if (!parts) throw new StoreRefusal("IncompleteSignatureException", "Authorization header requires other parts.")
  const [, accessKeyId = "", day = "", region = "", service = "", signedHeaders = "", signature = ""] = parts
  const session = sessions.find((one) => one.accessKeyId === accessKeyId)
  if (!session || headers["x-amz-security-token"] !== session.sessionToken)
    throw new StoreRefusal("UnrecognizedClientException", "The security token included in the request is invalid.")
  const date = text(headers["x-amz-date"])
  const signedAt = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"))
  if (!(Math.abs(Date.now() - signedAt) <= MAX_SKEW_MS) || !date.startsWith(day))
    throw new StoreRefusal("InvalidSignatureException", "Signature expired or not yet current")
  if (region !== at.region || service !== at.service)
    throw new StoreRefusal("InvalidSignatureException", "Credential should be scoped to a valid region and service.")
  const names = signedHeaders.split(";")
  const own = Object.keys(headers).filter((name) => name.startsWith("x-amz-"))
  const mustBeSigned = [...MUST_BE_SIGNED, ...own]
  if (names.join() !== [...names].sort().join() || !mustBeSigned.every((name) => names.includes(name)))
    throw new StoreRefusal("InvalidSignatureException", "A header of the request is not among the signed.")
  const expected = signatureOf(request, { names, scope: [day, region, service, "aws4_request"], date }, session)
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected)))
    throw new StoreRefusal(
      "InvalidSignatureException",
      "The request signature we calculated does not match the signature you provided.",
    )
  if (Date.parse(session.expiration) <= Date.now())
    throw new StoreRefusal("ExpiredTokenException", "The security token included in the request is expired")
  return session
}

function signatureOf(
  { method, path, headers, body }: SignedRequest,
  {
    names,
    scope,
    date,
  }: { readonly names: readonly string[]; readonly scope: readonly string[]; readonly date: string },
  session: IssuedCredentials,
): string {
  const canonicalHeaders = names.map((name) => `${name}:${text(headers[name]).trim().replace(/ +/g, " ")}\n`).join("")
  const canonical = [method, path, "", canonicalHeaders, names.join(";"), sha256(body)].join("\n")
  const toSign = ["AWS4-HMAC-SHA256", date, scope.join("/"), sha256(canonical)].join("\n")
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${session.secretAccessKey}`)
  return hmac(key, toSign).toString("hex")
}

const text = (header: string | readonly string[] | undefined) => (typeof header === "string" ? header : "")
const sha256 = (content: string) => createHash("sha256").update(content).digest("hex")
const hmac = (key: string | Buffer, content: string) => createHmac("sha256", key).update(content).digest()
