import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import { base64url, type CryptoKey, compactVerify, errors } from "jose"
import { BrokerError } from "../core/errors.ts"
import type { ClaimValue, Identity } from "../core/identity.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import type { Clock } from "../ports/clock.ts"
import type { Http } from "../ports/http.ts"
import { checkRegisteredClaims, quote, type RegisteredClaims } from "./claims.ts"
import { type CompactJws, parseCompactJws } from "./compact-jws.ts"
import { FAMILIES } from "./families.ts"
import type { IssuerFamily } from "./family.ts"
import { createKeySets, type KeySets } from "./key-sets.ts"

export interface VerifiedToken {
  readonly identity: Identity
  readonly issuer: IssuerConfig
  /** SHA-256 over the issuer's URL, NUL and the `jti`, base64url: what makes the token single-use. */
  readonly tokenKey: string
  /** SHA-256 over header and payload as they were signed, base64url: names the token in the audit trail. */
  readonly digest: string
  /** Unix seconds: from then on the token is refused, clock skew included. */
  readonly diesAt: number
  /** RFC 7638 thumbprint of the key that the token is bound to; null for a plain token. */
  readonly boundTo: string | null
}

export interface SubjectTokenVerifier {
  /**
   * Verifies a subject token against the listed issuers.
   *
   * An unlisted issuer causes no I/O. Until the signature is verified, errors tell nothing that depends on the token's
   * content but its issuer. Uses nothing up: that is the ledger's part.
   * @throws {BrokerError} `token_*`, `issuer_unavailable`
   */
  verify(token: string, issuers: ReadonlyMap<string, IssuerConfig>): Promise<VerifiedToken>
}

export interface VerifierOptions {
  /** The broker's audience, as jobs ask for it. */
  readonly audience: string
  readonly http: Http
  readonly clock: Clock
  readonly families?: ReadonlyMap<string, IssuerFamily>
}

/** Makes the verifier of one instance; it keeps the issuers' keys in memory and begins with none. */
export function createVerifier({ audience, http, clock, families = FAMILIES }: VerifierOptions): SubjectTokenVerifier {
  const keySets = createKeySets(http, clock)

  return {
    async verify(token, issuers) {
      const jws = parse(token)
      const issuer = listedIssuer(jws.payload["iss"], issuers)
      const family = familyOf(issuer, families)
      await verifySignature(token, await findKey(jws, issuer, family, keySets), jws.alg)

      const registered = checkRegisteredClaims(jws.payload, {
        audience,
        now: clock.now(),
        maxLifetimeSeconds: Math.min(issuer.maxTokenLifetimeSeconds ?? Infinity, family.maxTokenLifetimeSeconds),
        sendsJti: family.sendsJti,
      })
      if (!registered.ok) throw new BrokerError(registered.fault.code, registered.fault.detail)
      const identity = identify(jws, issuer, family)
      return { identity, issuer, ...fingerprints(jws, issuer, registered.value) }
    },
  }
}

function parse(token: string): CompactJws {
  const parsed = parseCompactJws(token)
  if (!parsed.ok) throw new BrokerError("token_malformed", `The subject token ${parsed.fault}.`)
  return parsed.value
}

/** Compares whole strings: an issuer that only looks like a listed one, or differs by a slash, is not listed. */
function listedIssuer(iss: ClaimValue | undefined, issuers: ReadonlyMap<string, IssuerConfig>): IssuerConfig {
  if (typeof iss !== "string") throw new BrokerError("token_malformed", "The subject token names no issuer.")
  for (const issuer of issuers.values()) {
    if (issuer.url === iss) return issuer
  }
  throw new BrokerError(
    "token_issuer_unknown",
    `The subject token's issuer, ${quote(iss)}, is not in the organisation file.`,
  )
}

function familyOf(issuer: IssuerConfig, families: ReadonlyMap<string, IssuerFamily>): IssuerFamily {
  const family = families.get(issuer.family)
  if (family) return family
  throw new BrokerError(
    "configuration_invalid",
    `The issuer ${issuer.name} is of a family that this broker does not know.`,
  )
}

async function findKey(
  jws: CompactJws,
  issuer: IssuerConfig,
  family: IssuerFamily,
  keySets: KeySets,
): Promise<CryptoKey> {
  const { alg, kid } = jws
  if (!family.algorithms.some((algorithm) => algorithm === alg)) {
    const expected = family.algorithms.join(" or ")
    throw new BrokerError(
      "token_signature_invalid",
      `The subject token is not signed with ${expected}, as its issuer's are.`,
    )
  }
  const key = await keySets.find(issuer, family, kid, alg)
  if (key) return key
  throw new BrokerError(
    "token_signature_invalid",
    "The subject token is signed with a key that its issuer does not publish.",
  )
}

async function verifySignature(token: string, key: CryptoKey, alg: string): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: [alg] })
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    throw new BrokerError("token_signature_invalid", "The subject token's signature is not its issuer's.")
  }
}

function identify(jws: CompactJws, issuer: IssuerConfig, family: IssuerFamily): Identity {
  for (const name of family.requiredStrings) {
    const claim = jws.payload[name]
    if (typeof claim === "string") continue
    const how = claim === undefined ? "is missing" : "is not a string"
    throw new BrokerError("token_claims_invalid", `The subject token's claim ${name} ${how}.`)
  }
  const identity = family.identify(jws.payload, issuer)
  if (identity.ok) return identity.value
  throw new BrokerError("token_claims_invalid", `In the subject token, ${identity.fault}.`)
}

/**
 * What the token is known by, made of what was verified. The strict parser leaves one text for one pair of header and
 * payload, so the digest does not vary either.
 */
function fingerprints(
  jws: CompactJws,
  issuer: IssuerConfig,
  { jti, ...registered }: RegisteredClaims,
): Omit<VerifiedToken, "identity" | "issuer"> {
  const digest = hash(jws.signingInput)
  return { ...registered, digest, tokenKey: hash(`${issuer.url}\0${jti ?? digest}`) }
}

/** Not WebCrypto's digest: for texts this short, its way through another thread takes longer than the work itself. */
function hash(text: string): string {
  return base64url.encode(sha256(utf8ToBytes(text)))
}
