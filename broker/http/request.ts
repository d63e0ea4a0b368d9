import * as z from "zod"
import { parseDuration } from "../core/duration.ts"
import { BrokerError } from "../core/errors.ts"
import { parseWith } from "../core/parse-with.ts"
import { thumbprintText } from "../core/thumbprint.ts"
import type { JobKey, PresentedProof } from "../exchange/call.ts"
import { COORDINATE, isFieldElement } from "../issuers/public-jwk.ts"
import type { Cryptography, RecipientKey } from "../ports/cryptography.ts"
import { MAX_GRANTS_PER_REQUEST, type PublicJwk } from "../wire/exchange.ts"
import { LEASE_ID } from "../wire/lease-id.ts"
import type { Incoming } from "./incoming.ts"
import { MAX_AUTHORIZATION_CHARACTERS } from "./limits.ts"

const coordinate = z
  .string()
  .regex(COORDINATE, { error: "must be 43 characters of base64url", abort: true })
  .refine(isFieldElement, "must be a number below the prime of P-256, without stray bits in its last character")

/** A grant's name, as policies spell it. */
export const GRANT_NAME = /^[a-z][a-z0-9-]{0,63}$/

const exchangeRequest = z.strictObject({
  grants: z
    .array(
      z
        .string()
        .regex(
          GRANT_NAME,
          "a grant's name consists of lower-case letters, digits and dashes, and starts with a letter",
        ),
    )
    .min(1, "name at least one grant")
    .max(MAX_GRANTS_PER_REQUEST, `name at most ${MAX_GRANTS_PER_REQUEST} grants`)
    .refine((names) => new Set(names).size === names.length, "name each grant once"),
  ttl: z.string().optional(),
  key: z.strictObject({ kty: z.literal("EC"), crv: z.literal("P-256"), x: coordinate, y: coordinate }).optional(),
  lease: z.string().regex(LEASE_ID, "must be a UUID of version 7 in lower case").optional(),
})

export interface ParsedExchange {
  readonly grants: readonly string[]
  readonly ttlSeconds: number | undefined
  readonly key: (JobKey & RecipientKey) | undefined
  readonly lease: string | undefined
}

/** Parses the body of an exchange. @throws {BrokerError} `request_malformed`; the message names the member and its correct form */
export async function parseExchange(body: unknown, cryptography: Cryptography): Promise<ParsedExchange> {
  const parsed = parseWith(exchangeRequest, body)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw malformed(
      memberOf(issue),
      issue?.code === "unrecognized_keys"
        ? "has an unknown member; the known ones are grants, ttl, key and lease"
        : issue?.message,
    )
  }
  const { grants, ttl, key, lease } = parsed.data
  if (lease !== undefined && !key) throw malformed("lease", "only a bound request names its lease; send its key too")
  const ttlSeconds = ttl === undefined ? undefined : parseTtl(ttl)
  return { grants, ttlSeconds, key: key && (await parseKey(key, cryptography)), lease }
}

function parseTtl(text: string): number {
  const duration = parseDuration(text)
  if (!duration.ok) throw malformed("ttl", duration.fault)
  return duration.value
}

/** Importing the key checks that the point is on the curve. An answer must never be encrypted to another point. */
async function parseKey(jwk: PublicJwk, cryptography: Cryptography): Promise<JobKey & RecipientKey> {
  const key = await cryptography.recipientKey(jwk)
  if (key === null) throw malformed("key", "is not a point on the curve P-256")
  return { ...key, thumbprint: cryptography.digest(thumbprintText(jwk)) }
}

/** Names a member of the schema. The answer never contains text of the request. */
const memberOf = (issue: z.core.$ZodIssue | undefined) =>
  issue?.path.length ? issue.path.map(String).join(".") : "the body"

const malformed = (member: string, what = "is malformed") =>
  new BrokerError("request_malformed", `The request is malformed: ${member}: ${what}.`)

/** Refuses a URL with a query, because URLs end up in logs, and with them a token. @throws {BrokerError} `request_malformed` */
export function refuseQuery(request: Incoming): void {
  if (!request.url.includes("?")) return
  throw new BrokerError(
    "request_malformed",
    "The URL must not have a query. Send the subject token in the Authorization header.",
  )
}

/** Reads the bearer token from the Authorization header. @throws {BrokerError} `token_missing`, `token_malformed` */
export function bearerOf(request: Incoming): string {
  const header = request.headers.get("authorization")
  if (header === null || header === "") {
    throw new BrokerError("token_missing", "Send the job's OIDC token as `Authorization: Bearer <token>`.")
  }
  const token =
    header.length <= MAX_AUTHORIZATION_CHARACTERS ? /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1] : undefined
  if (token === undefined) {
    throw new BrokerError(
      "token_malformed",
      "The Authorization header must be `Bearer <token>`, with a token of at most 16 KiB.",
    )
  }
  return token
}

/** The DPoP proof of a call (RFC 9449), not yet verified; nothing when the call has none. */
export function proofOf(request: Incoming): { readonly proof?: PresentedProof } {
  const text = request.headers.get("dpop")
  return text === null ? {} : { proof: { text, method: request.method, path: new URL(request.url).pathname } }
}

/** A lease's id, as `POST /v1/exchange` returned it. @throws {BrokerError} `request_malformed` */
export function leaseOf(id: string): string {
  if (!LEASE_ID.test(id)) throw new BrokerError("request_malformed", "The path must end with a lease id.")
  return id
}
