import type { JWTPayload } from "jose"
import { TokenRefusal, verifyIdentityToken } from "../relying-party.ts"
import { mediaTypeOf } from "../servers.ts"
import { ApiRefusal, OAuthRefusal, readMembers } from "./answer.ts"
import { type IssuedToken, isScope, type Tokens } from "./tokens.ts"

const MAX_SUBJECT_BYTES = 127
const MAX_FEDERATED_SECONDS = 3_600
/** What is left of a token below which STS leaves `expires_in` out. */
const TOO_SHORT_TO_SAY_SECONDS = 2

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
const SUBJECT_TOKEN_TYPES = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"]
const MEMBERS = [
  ...["grantType", "audience", "scope", "requestedTokenType", "subjectToken", "subjectTokenType", "options"],
]
/** The same in OAuth's spelling, for a form (RFC 8693 section 2.1). */
const OAUTH_NAMES = new Map(
  MEMBERS.map((name) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), name]),
)
const POOL_PROVIDER =
  /^\/\/iam\.googleapis\.com\/((projects\/[0-9]+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32})\/providers\/[a-z0-9-]{4,32})$/

/** A provider of a workload identity pool: whom it trusts, and what it makes of a token. */
export interface PoolProvider {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  readonly name: string
  readonly issuer: string
  /** The two default audiences when left out. */
  readonly allowedAudiences?: readonly string[]
  /** `google.subject`, and `attribute.NAME`; what a CEL expression would say, as a function. `assertion.sub` when left out. */
  readonly mapping?: Readonly<Record<string, (assertion: JWTPayload) => unknown>>
  readonly condition?: (assertion: JWTPayload) => boolean
  readonly disabled?: boolean
}

/**
 * Exchanges an identity token as STS's `v1.token` does: by the API's own JSON, or by OAuth's form, which Google's clients
 * send. Stricter in one thing: a form with a field that it does not know, or twice, is refused.
 *
 * @throws {OAuthRefusal | ApiRefusal}
 */
export async function exchangeToken(
  request: { readonly contentType?: string | undefined; readonly authorization?: string | undefined },
  text: string | null,
  providers: ReadonlyMap<string, PoolProvider>,
  tokens: Tokens,
): Promise<Readonly<Record<string, unknown>>> {
  const isForm = mediaTypeOf(request.contentType) === "application/x-www-form-urlencoded"
  const body = isForm ? readForm(text ?? "") : readMembers(request.contentType, text, MEMBERS)
  if (request.authorization !== undefined)
    throw new ApiRefusal("UNAUTHENTICATED", "Request had invalid authentication credentials.")
  if (body["grantType"] !== TOKEN_EXCHANGE) throw new OAuthRefusal("unsupported_grant_type", "Invalid grant type.")
  if (body["requestedTokenType"] !== ACCESS_TOKEN || !SUBJECT_TOKEN_TYPES.includes(String(body["subjectTokenType"])))
    throw new OAuthRefusal("invalid_request", "Invalid token type.")
  const scopes = String(body["scope"] ?? "").split(" ")
  if (!scopes.every(isScope)) throw new OAuthRefusal("invalid_scope", "Some requested scopes were invalid.")
  const named = POOL_PROVIDER.exec(String(body["audience"]))
  if (!named)
    throw new OAuthRefusal(
      "invalid_request",
      'Invalid value for "audience". This value should be the full resource name of the Identity Provider.',
    )
  const [, name = "", pool = ""] = named
  const provider = providers.get(name)
  if (!provider || provider.disabled)
    throw new OAuthRefusal(
      "invalid_target",
      'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
    )
  const assertion = await verify(provider, body["subjectToken"])
  const { subject, members } = mapped(provider, pool, assertion)
  if (provider.condition?.(assertion) === false)
    throw new OAuthRefusal("unauthorized_client", "The given credential is rejected by the attribute condition.")
  const left = Math.floor((assertion.exp ?? 0) - Date.now() / 1000)
  const own = `principal://iam.googleapis.com/${pool}/subject/${subject}`
  const issued: IssuedToken = tokens.issue({
    kind: "federated",
    members: [own, ...members],
    scopes,
    lifetimeSeconds: Math.min(left, MAX_FEDERATED_SECONDS),
    delegates: [],
  })
  return {
    access_token: issued.token,
    issued_token_type: ACCESS_TOKEN,
    token_type: "Bearer",
    ...(issued.lifetimeSeconds <= TOO_SHORT_TO_SAY_SECONDS ? {} : { expires_in: issued.lifetimeSeconds }),
  }
}

function readForm(text: string): Readonly<Record<string, unknown>> {
  const fields = [...new URLSearchParams(text)]
  if (fields.some(([name]) => !OAUTH_NAMES.has(name)) || new Set(fields.map(([name]) => name)).size < fields.length)
    throw new OAuthRefusal("invalid_request", "The request has a field that is unknown or there twice.")
  return Object.fromEntries(fields.map(([name, value]) => [OAUTH_NAMES.get(name), value]))
}

async function verify(provider: PoolProvider, token: unknown): Promise<JWTPayload> {
  if (typeof token !== "string" || token === "") throw new OAuthRefusal("invalid_request", "Missing subject_token.")
  const defaults = [`//iam.googleapis.com/${provider.name}`, `https://iam.googleapis.com/${provider.name}`]
  const audiences = provider.allowedAudiences ?? defaults
  try {
    return await verifyIdentityToken(token, [{ issuer: provider.issuer, audiences }])
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error
    throw new OAuthRefusal("invalid_grant", FAULTS[error.fault])
  }
}

const NO_KEYS = "Error connecting to the given credential's issuer."
const STALE = "ID Token issued at 0 is stale to sign-in."

const FAULTS: Readonly<Record<TokenRefusal["fault"], string>> = {
  malformed: "Unable to parse the ID Token.",
  "issuer-unknown": "The issuer in ID Token does not match the expected one in config.",
  "keys-unavailable": NO_KEYS,
  "keys-unusable": NO_KEYS,
  signature: "Unable to verify the ID Token signature.",
  audience: "The audience in ID Token does not match the expected audience.",
  expired: STALE,
  "not-yet-valid": STALE,
}

/** What the provider's mapping makes of a token: who it is, and the sets of principals that it belongs to. */
function mapped({ mapping = BY_SUB }: PoolProvider, pool: string, assertion: JWTPayload) {
  const subject = mapping["google.subject"]?.(assertion)
  if (typeof subject !== "string" || subject === "")
    throw new OAuthRefusal("invalid_request", "The mapped attribute google.subject must be present.")
  if (Buffer.byteLength(subject) > MAX_SUBJECT_BYTES)
    throw new OAuthRefusal(
      "invalid_request",
      "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
    )
  const members = Object.entries(mapping)
    .filter(([name]) => name.startsWith("attribute."))
    .map(([name, of]) => `principalSet://iam.googleapis.com/${pool}/${name}/${String(of(assertion))}`)
  return { subject, members }
}

const BY_SUB: NonNullable<PoolProvider["mapping"]> = { "google.subject": ({ sub }) => sub }
