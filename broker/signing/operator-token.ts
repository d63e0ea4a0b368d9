import { auditIdentity } from "../core/audit-record.ts"
import { BrokerError } from "../core/errors.ts"
import type { Claims, Identity } from "../core/identity.ts"
import {
  isPlain,
  OPERATOR_AUDIENCE,
  OPERATOR_TOKEN_SECONDS,
  type OperatorRight,
  type OperatorScope,
} from "../core/operator-rights.ts"
import { identityTokenSubject } from "../wire/subject.ts"

/**
 * The claims of an operator token. `cnf` (RFC 7800) names the key whose proof every call with it must carry. `operator` is the
 * holder as the record names it, so that an act is recorded under the same names as the exchange that allowed it.
 *
 * @throws {BrokerError} `bound_token_required` without a key, unless the rights are those that a plain token may have
 */
export function operatorTokenClaims(about: {
  readonly issuer: string
  readonly identity: Identity
  readonly grant: string
  readonly may: readonly OperatorRight[]
  readonly scope: OperatorScope
  readonly lease: string
  readonly holder: string | null
  readonly now: Date
  /** At most `OPERATOR_TOKEN_SECONDS`. */
  readonly ttlSeconds: number
}): Claims {
  const { issuer, identity, grant, may, scope, lease, holder } = about
  const plain = isPlain(may)
  if (!plain && holder === null) throw new BrokerError("bound_token_required", NEEDS_KEY)
  const issuedAt = Math.floor(about.now.getTime() / 1000)
  return {
    iss: issuer,
    aud: OPERATOR_AUDIENCE,
    sub: identityTokenSubject(identity, grant),
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + Math.min(about.ttlSeconds, OPERATOR_TOKEN_SECONDS),
    jti: lease,
    // A plain token stays plain although the exchange had a key: who scrapes metrics does not have it.
    ...(plain ? {} : { cnf: { jkt: holder } }),
    grant,
    may,
    scope: { ...scope },
    operator: { ...auditIdentity(identity) },
  }
}

const NEEDS_KEY =
  "An operator token is bound to the key of its exchange, and this exchange had none. Use the daypass command line, or send a key with a bound subject token or a DPoP proof. Only a grant of metrics.read alone is given without."
