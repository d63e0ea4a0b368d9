import { createPublicKey, type KeyObject, verify } from "node:crypto"

const MAX_AHEAD_SECONDS = 600

/** GitHub's message, with status 404 and not 401, for the id of an App that does not exist. */
export const NO_SUCH_APP = "Integration not found"

/** Why GitHub refuses the App's JWT, in its words; null when it is good. */
export function faultOfAppJwt(jwt: string, appId: string, privateKey: KeyObject, nowSeconds: number): string | null {
  const [head = "", body = "", signature = "", ...more] = jwt.split(".")
  const header = json(head)
  const claims = json(body)
  if (more.length > 0 || header?.["alg"] !== "RS256" || claims === null) return "A JSON web token could not be decoded"
  const { iss, iat, exp } = claims
  // It looks for the App's keys first.
  if (String(iss) !== appId) return NO_SUCH_APP
  const isSigned = verify(
    "RSA-SHA256",
    Buffer.from(`${head}.${body}`),
    createPublicKey(privateKey),
    Buffer.from(signature, "base64url"),
  )
  if (!isSigned) return "A JSON web token could not be decoded"
  if (!Number.isInteger(iat))
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
  if (Number(iat) > nowSeconds)
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
  if (!Number.isInteger(exp) || Number(exp) <= nowSeconds) {
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
  }
  if (Number(exp) > nowSeconds + MAX_AHEAD_SECONDS) return "'Expiration time' claim ('exp') is too far in the future"
  return null
}

function json(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"))
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
