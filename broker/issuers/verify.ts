import { BrokerError } from "../core/errors.ts"
import type { ClaimValue, Identity } from "../core/identity.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import type { Clock } from "../ports/clock.ts"
import type { Cryptography, VerifyingKey } from "../ports/cryptography.ts"
import type { Http } from "../ports/http.ts"
import { checkRegisteredClaims, quote, type RegisteredClaims } from "./claims.ts"
import { type CompactJws, parseCompactJws } from "./compact-jws.ts"
import { FAMILIES } from "./families.ts"
import type { IssuerFamily } from "./family.ts"
import { identify } from "./identify.ts"
import { createKeySets, type KeySets } from "./key-sets.ts"

/** The longest life of a token where the organisation file says nothing and the family allows more. */
const DEFAULT_LIFETIME_SECONDS = 3600

export interface VerifiedToken {
  readonly identity: Identity
  readonly issuer: IssuerConfig
  /** SHA-256 over the issuer's URL, NUL and the `jti`, base64url. The ledger accepts each key once. */
  readonly tokenKey: string
  /** SHA-256 over the signed text of header and payload, base64url. It identifies the token in the audit trail. */
  readonly digest: string
  /** Unix seconds: the token's `iat`. */
  readonly issuedAt: number
  /** Unix seconds: the token is refused from this time on, clock skew included. */
  readonly diesAt: number
  /** RFC 7638 thumbprint of the key that the token is bound to; null for a plain token. */
  readonly boundTo: string | null
}

export interface SubjectTokenVerifier {
  /**
   * Verifies a subject token against the listed issuers.
   *
   * An unlisted issuer causes no I/O. Before the signature is verified, errors reveal nothing of the token's content except
   * its issuer. Does not use up the token: the ledger does.
   * @param alsoFor an audience that counts as the broker's for this call; never with a key's thumbprint
   * @throws {BrokerError} `token_*`, `issuer_unavailable`
   */
  verify(token: string, issuers: ReadonlyMap<string, IssuerConfig>, alsoFor?: string): Promise<VerifiedToken>
}

export interface VerifierOptions {
  /** The broker's audience, which jobs request in their tokens. */
  readonly audience: string
  readonly http: Http
  readonly clock: Clock
  readonly cryptography: Cryptography
  readonly families?: ReadonlyMap<string, IssuerFamily>
}

/** Makes the verifier of one instance. It caches the issuers' keys in memory. */
export function createVerifier(options: VerifierOptions): SubjectTokenVerifier {
  const { audience, http, clock, cryptography, families = FAMILIES } = options
  const keySets = createKeySets(http, clock, cryptography)

  return {
    async verify(token, issuers, alsoFor) {
      const jws = parse(token)
      const issuer = listedIssuer(jws.payload["iss"], issuers, families)
      const family = familyOf(issuer, families)
      await verifySignature(token, await findKey(jws, issuer, family, keySets), jws.alg)

      const registered = checkRegisteredClaims(jws.payload, {
        audience: issuer.audience ?? (alsoFor !== undefined && isFor(jws.payload["aud"], alsoFor) ? alsoFor : audience),
        ...(issuer.otherAudiences === undefined ? {} : { otherAudiences: issuer.otherAudiences }),
        now: clock.now(),
        maxLifetimeSeconds: Math.min(
          issuer.maxTokenLifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS,
          family.facts.maxTokenLifetimeSeconds,
        ),
        jti: family.facts.jti,
      })
      if (!registered.ok) throw new BrokerError(registered.fault.code, registered.fault.detail)
      const identity = identityOf(jws, issuer, family)
      return { identity, issuer, ...fingerprints(jws, issuer, registered.value, cryptography) }
    },
  }
}

/** Whether a token is for exactly this audience, as a text or as a list of one. */
const isFor = (said: ClaimValue | undefined, audience: string): boolean =>
  (Array.isArray(said) && said.length === 1 ? said[0] : said) === audience

function parse(token: string): CompactJws {
  const parsed = parseCompactJws(token)
  if (!parsed.ok) throw new BrokerError("token_malformed", `The subject token ${parsed.fault}.`)
  return parsed.value
}

/** Compares whole strings: an issuer that is only similar to a listed one, or differs by a slash, is not listed. */
function listedIssuer(
  iss: ClaimValue | undefined,
  issuers: ReadonlyMap<string, IssuerConfig>,
  families: ReadonlyMap<string, IssuerFamily>,
): IssuerConfig {
  if (typeof iss !== "string")
    throw new BrokerError("token_malformed", "The subject token must name its issuer in iss.")
  for (const issuer of issuers.values()) {
    if (issuer.url === iss) return issuer
  }
  for (const { retiredIssuers } of families.values()) {
    const sentence = retiredIssuers?.get(iss)
    if (sentence !== undefined) throw new BrokerError("token_issuer_unknown", sentence)
  }
  const isOther = [...issuers.values()].some(({ url }) => url === `${iss}/` || `${url}/` === iss)
  const slash = isOther ? ", and a listed issuer differs only by a slash at its end: list it exactly so" : ""
  throw new BrokerError(
    "token_issuer_unknown",
    `The subject token's issuer, ${quote(iss)}, is not listed in the organisation file${slash}.`,
  )
}

function familyOf(issuer: IssuerConfig, families: ReadonlyMap<string, IssuerFamily>): IssuerFamily {
  const family = families.get(issuer.family)
  if (family) return family
  throw new BrokerError(
    "configuration_invalid",
    `The issuer ${issuer.name} has a family that this version of the broker does not know: update the broker.`,
  )
}

async function findKey(
  jws: CompactJws,
  issuer: IssuerConfig,
  family: IssuerFamily,
  keySets: KeySets,
): Promise<VerifyingKey> {
  const { alg, kid } = jws
  if (!family.algorithms.some((algorithm) => algorithm === alg)) {
    const expected = family.algorithms.join(" or ")
    throw new BrokerError("token_signature_invalid", `The subject token must be signed with ${expected}.`)
  }
  const key = await keySets.find(issuer, family, kid, alg)
  if (key) return key
  throw new BrokerError(
    "token_signature_invalid",
    "The subject token is signed with a key that its issuer does not publish.",
  )
}

async function verifySignature(token: string, key: VerifyingKey, alg: string): Promise<void> {
  if (await key.verifies(token, alg)) return
  throw new BrokerError("token_signature_invalid", "The subject token's signature does not match its issuer's key.")
}

function identityOf(jws: CompactJws, issuer: IssuerConfig, family: IssuerFamily): Identity {
  const identity = identify(jws.payload, issuer, family)
  if (identity.ok) return identity.value
  throw new BrokerError("token_claims_invalid", `In the subject token, ${identity.fault}.`)
}

/**
 * The hashes that identify a verified token. The strict parser allows only one text for the same header and payload, so
 * one token has one digest.
 */
function fingerprints(
  jws: CompactJws,
  issuer: IssuerConfig,
  { jti, ...registered }: RegisteredClaims,
  cryptography: Cryptography,
): Omit<VerifiedToken, "identity" | "issuer"> {
  const digest = cryptography.digest(jws.signingInput)
  return { ...registered, digest, tokenKey: cryptography.digest(`${issuer.url}\0${jti ?? digest}`) }
}
