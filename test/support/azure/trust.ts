import { decodeJwt } from "jose"
import { type TokenFault, TokenRefusal, verifyIdentityToken } from "../relying-party.ts"
import { EntraRefusal } from "./answer.ts"

/** What a federated credential names. A token must say the very same, case included. */
export interface FederatedCredential {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
}

/** An application's service principal, or a managed identity. */
export interface Client {
  readonly clientId: string
  readonly credentials: readonly FederatedCredential[]
  /** What Entra chooses for its tokens; an hour when left out. A managed identity's live for 86,399 s. */
  readonly lifetimeSeconds?: number
  readonly disabled?: boolean
}

const MAX_CREDENTIALS = 20
const MAX_CHARACTERS = 600

/** @throws {TypeError} for credentials that nobody can make in Entra */
export function assertPossible({ credentials }: Client): void {
  if (credentials.length > MAX_CREDENTIALS) throw new TypeError(`a client has at most ${MAX_CREDENTIALS} credentials`)
  const pairs = new Set(credentials.map(({ issuer, subject }) => `${issuer}\n${subject}`))
  if (pairs.size < credentials.length) throw new TypeError("issuer and subject together are unique within a client")
  for (const text of credentials.flatMap((one) => Object.values(one))) {
    if (text === "" || text.length > MAX_CHARACTERS)
      throw new TypeError(`each part has 1 to ${MAX_CHARACTERS} characters`)
  }
}

/**
 * Holds a token against a client's federated credentials, and verifies it. Entra says which part does not match.
 *
 * @returns the token's subject
 * @throws {EntraRefusal}
 */
export async function authenticate({ clientId, credentials }: Client, assertion: string): Promise<string> {
  if (credentials.length === 0) {
    throw new EntraRefusal(70025, `The client '${clientId}' has no configured federated identity credentials.`)
  }
  const { issuer, audience, subject } = saidBy(assertion)
  const ofIssuer = credentials.filter((one) => one.issuer === issuer)
  if (ofIssuer.length === 0) throw noMatch(700211, `issuer '${issuer}'`)
  const ofAudience = ofIssuer.filter((one) => one.audience === audience)
  if (ofAudience.length === 0) throw noMatch(700212, `audience '${audience}'`)
  if (!ofAudience.some((one) => one.subject === subject)) throw noMatch(700213, `subject '${subject}'`)
  try {
    const { sub } = await verifyIdentityToken(assertion, [{ issuer, audiences: [audience] }])
    return sub ?? ""
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error
    const [code, message] = FAULTS[error.fault]
    throw new EntraRefusal(code, message)
  }
}

function noMatch(code: 700211 | 700212 | 700213, part: string): EntraRefusal {
  return new EntraRefusal(
    code,
    `No matching federated identity record found for presented assertion ${part}. Please note that the matching is done using a case-sensitive comparison. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.`,
  )
}

function saidBy(assertion: string): { issuer: string; audience: string; subject: string } {
  try {
    const { iss, aud, sub } = decodeJwt(assertion)
    if (typeof iss === "string" && typeof aud === "string" && typeof sub === "string") {
      return { issuer: iss, audience: aud, subject: sub }
    }
  } catch {
    // Not JSON: the same refusal as for any other text that is not a token.
  }
  throw new EntraRefusal(50027, "JWT token is invalid or malformed.")
}

const TIME = [700024, "Client assertion is not within its valid time range."] as const
const KEYS = [50166, "Request to External OIDC endpoint failed."] as const
const SIGNATURE = [
  700027,
  "The certificate with identifier used to sign the client assertion is not registered.",
] as const

const FAULTS: Readonly<Record<TokenFault, readonly [50027 | 50166 | 700024 | 700027 | 700211 | 700212, string]>> = {
  malformed: [50027, "JWT token is invalid or malformed."],
  "issuer-unknown": [700211, "No matching federated identity record found for presented assertion issuer."],
  "keys-unavailable": KEYS,
  "keys-unusable": KEYS,
  signature: SIGNATURE,
  audience: [700212, "No matching federated identity record found for presented assertion audience."],
  expired: TIME,
  "not-yet-valid": TIME,
}
