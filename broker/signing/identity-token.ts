import { IDENTITY_TOKEN_SECONDS } from "../core/duration.ts"
import { isCautionClaim } from "../core/families/cautions.ts"
import { idNameOf } from "../core/families/units.ts"
import type { Claims, Identity } from "../core/identity.ts"
import { AWS_NAMESPACE, isForeignFact, isJobClaim } from "../core/job-claims.ts"
import { identityTokenSubject } from "../wire/subject.ts"

/**
 * The claims of an identity token: the broker's, the job's, and the provider's additions. When names collide, the broker's
 * claims win over the job's, and the job's over the provider's. An addition with the name of a job's claim is dropped even
 * when the job lacks that claim, so that an addition can never look like a fact about the job.
 */
export function identityTokenClaims(about: {
  readonly issuer: string
  readonly audience: string
  readonly identity: Identity
  readonly grant: string
  readonly extra: Claims
  readonly now: Date
  /** At most `IDENTITY_TOKEN_SECONDS`. */
  readonly ttlSeconds: number
  readonly id: string
}): Claims {
  const { identity } = about
  const { unitKind } = identity
  const issuedAt = Math.floor(about.now.getTime() / 1000)
  return {
    ...pick(about.extra, (name) => !isJobClaim(name)),
    ...pick(identity.claims, (name) => !isBrokerClaim(name) && !isCautionClaim(name) && !isForeignFact(unitKind, name)),
    subject_issuer: identity.issuerUrl,
    [unitKind]: identity.unit,
    [idNameOf(unitKind)]: identity.unitId,
    [`${unitKind}_owner`]: identity.owner,
    [`${unitKind}_owner_id`]: identity.ownerId,
    ...(identity.environment === undefined ? {} : { environment: identity.environment }),
    ...said({
      ref: identity.ref,
      ref_type: identity.refType,
      event_name: identity.event,
      actor: identity.actor,
      run_id: identity.runId,
      run_attempt: identity.runAttempt,
    }),
    grant: about.grant,
    iss: about.issuer,
    aud: about.audience,
    sub: identityTokenSubject(identity, about.grant),
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + Math.min(about.ttlSeconds, IDENTITY_TOKEN_SECONDS),
    jti: about.id,
  }
}

/**
 * Claims that only the broker may set: RFC 7519's registered claims; `azp`, which AWS compares with its audiences instead
 * of `aud`; those that name the token's holder (RFC 7800, RFC 8693); and all names under AWS's URL, from which STS reads
 * session tags (also in flattened form) and the source identity.
 */
const isBrokerClaim = (name: string) => BROKER_CLAIMS.has(name) || name.startsWith(AWS_NAMESPACE)

const BROKER_CLAIMS: ReadonlySet<string> = new Set([
  ...["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp"],
  // What they say of the subject token is not true of this one (RFC 7800, RFC 8693; OpenID Connect Core 1.0, section 2).
  ...["cnf", "act", "may_act", "nonce", "at_hash", "c_hash"],
])

/** Only what the subject token says. */
const said = (claims: Readonly<Record<string, string | null>>) =>
  Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null && value !== "")) as Claims

/** Not with Object.entries, which is five times slower for an object without a prototype. */
const pick = (claims: Claims, wanted: (name: string) => boolean): Claims =>
  Object.fromEntries(
    Object.keys(claims).flatMap((name) => (wanted(name) ? [[name, claims[name]] as const] : [])),
  ) as Claims
