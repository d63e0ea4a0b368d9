import * as z from "zod"
import type { AuditIdentity } from "../core/audit-record.ts"
import { BrokerError } from "../core/errors.ts"
import type { Claims } from "../core/identity.ts"
import {
  OPERATOR_AUDIENCE,
  OPERATOR_RIGHTS,
  OPERATOR_TOKEN_SECONDS,
  type OperatorRight,
  type OperatorScope,
  PLAIN_RIGHT,
} from "../core/operator-rights.ts"
import { parseWith } from "../core/parse-with.ts"
import type { Broker } from "../exchange/broker.ts"
import type { PresentedProof } from "../exchange/call.ts"
import { CLOCK_SKEW_SECONDS } from "../issuers/claims.ts"
import { parseCompactJws } from "../issuers/compact-jws.ts"
import { verifyProof } from "../issuers/dpop.ts"
import type { ProofUse, TokenUse } from "../ports/token-use.ts"

/** Whoever holds a grant of the provider `broker`, as the broker's own token says. */
export interface Operator {
  /** As the record names the holder. Its acts are in the ledger of this unit. */
  readonly identity: AuditIdentity
  readonly grant: string
  readonly may: ReadonlySet<OperatorRight>
  readonly scope: OperatorScope
  /** The lease of the exchange that gave the token. */
  readonly lease: string
  readonly expiresAt: Date
  /** The use of the proof in this call, for the ledger of the operator's unit; absent when the call proved no key. */
  readonly use?: TokenUse
}

/** A call with an operator token. */
export interface OperatorCall {
  /** Not yet verified. */
  readonly token: string
  readonly proof?: PresentedProof
}

export interface Operators {
  /**
   * Verifies an operator token and the proof of its key, and that it has the right, or one of the others.
   *
   * @throws {BrokerError} `token_*`, `proof_invalid`, `bound_token_required`; `not_allowed` without the right, whatever was asked for
   */
  authorise(call: OperatorCall, right: OperatorRight, ...others: readonly OperatorRight[]): Promise<Operator>
  /**
   * Verifies an operator token that the broker itself keeps for a person, sealed in the session of the console. Whoever has the
   * session is its holder, so no key is proved.
   *
   * @throws {BrokerError} `token_*`
   */
  held(token: string): Promise<Operator>
}

/** Proofs that this instance remembers. Each is valid for two minutes at most. */
const PROOFS_REMEMBERED = 10_000
const PROOF_LIFE_MS = 120_000

/** A member is null where the issuer has no such thing. */
const nullable = z.string().nullable()
export const auditIdentitySchema = z.object({
  issuer: z.string(),
  unit_kind: z.string(),
  unit: z.string(),
  unit_id: z.string(),
  owner: z.string(),
  owner_id: z.string(),
  environment: nullable,
  ref: nullable,
  event: nullable,
  actor: nullable,
  actor_id: nullable,
  run_id: z.string(),
  run_attempt: z.string(),
})

/** Rights that this version does not know are left out: another version of the broker may have signed the token. */
const operatorClaims = z.object({
  iss: z.string(),
  aud: z.literal(OPERATOR_AUDIENCE),
  iat: z.int(),
  exp: z.int(),
  jti: z.string(),
  cnf: z.object({ jkt: z.string() }).optional(),
  grant: z.string(),
  may: z.array(z.string()),
  scope: z.strictObject({
    owners: z.array(z.string()).optional(),
    units: z.array(z.string()).optional(),
    connections: z.array(z.string()).optional(),
  }),
  operator: auditIdentitySchema,
})

/** Verifies operators' calls for one instance of the broker. */
export function createOperators(
  broker: Pick<Broker, "url" | "signer" | "cryptography" | "clock">,
  remembered = PROOFS_REMEMBERED,
): Operators {
  const seen = new Map<string, number>()

  /**
   * Other instances do not know what this one has seen: the ledger makes sure of acts (`useForAct`). When there are too many,
   * the oldest is forgotten. To refuse would let one operator, with many calls, keep all others from theirs.
   *
   * @throws {BrokerError} `proof_invalid` for a proof that this instance has seen
   */
  function useProof(id: string): void {
    const now = broker.clock.elapsed()
    if (seen.has(id)) throw usedBefore()
    seen.set(id, now)
    for (const [old, at] of seen) {
      if (now - at < PROOF_LIFE_MS && seen.size <= remembered) break
      seen.delete(old)
    }
  }

  async function proveHolder(thumbprint: string, { token, proof }: OperatorCall): Promise<ProofUse> {
    if (proof === undefined) throw new BrokerError("proof_invalid", NEEDS_PROOF)
    const { text, method, path } = proof
    const call = { method, url: `${broker.url}${path}`, token, now: broker.clock.now() }
    const proved = await verifyProof(text, call, broker.cryptography)
    if (proved.thumbprint !== thumbprint) throw new BrokerError("proof_invalid", OTHER_KEY)
    useProof(proved.id)
    return proved
  }

  return {
    async authorise(call, right, ...others) {
      const { operator, claims } = await readToken(call.token, broker)
      const { iss, cnf, iat, exp, jti } = claims
      const proof = cnf && (await proveHolder(cnf.jkt, call))
      if (proof === undefined && right !== PLAIN_RIGHT) throw new BrokerError("bound_token_required", PLAIN)
      if (![right, ...others].some((one) => operator.may.has(one))) throw lacks(right)
      const key = broker.cryptography.digest(`${iss} operator ${jti}`)
      return { ...operator, ...(proof && { use: { key, issuedAt: iat, expiresAt: exp, proof } }) }
    },

    async held(token) {
      return (await readToken(token, broker)).operator
    },
  }
}

/** What a token of this broker says now. @throws {BrokerError} */
async function readToken(token: string, broker: Pick<Broker, "url" | "signer" | "cryptography" | "clock">) {
  const parsed = parseWith(operatorClaims, await verifyToken(token, broker))
  if (!parsed.success) throw new BrokerError("token_audience_mismatch", NOT_AN_OPERATORS)
  const claims = parsed.data
  const { iss, iat, exp, may: named, operator: identity, grant, scope, jti: lease } = claims
  if (iss !== broker.url) throw new BrokerError("token_issuer_unknown", OTHER_BROKER)
  const now = broker.clock.now().getTime() / 1000
  if (exp <= now) throw new BrokerError("token_expired", EXPIRED)
  // A clock that was set back must not make a token live longer.
  if (iat > now + CLOCK_SKEW_SECONDS) throw new BrokerError("token_not_yet_valid", NOT_YET)
  if (exp - iat > OPERATOR_TOKEN_SECONDS) throw new BrokerError("token_lifetime_too_long", NOT_AN_OPERATORS)
  const may: ReadonlySet<OperatorRight> = new Set(OPERATOR_RIGHTS.filter((known) => named.includes(known)))
  const expiresAt = new Date(exp * 1000)
  return { claims, operator: { identity, grant, may, scope: withoutGaps(scope), lease, expiresAt } }
}

/**
 * Uses up the proof of a call that changes something, in the ledger of the operator's unit. A proof names neither the body nor
 * the query, so whoever saw one could send it to another instance, which has not seen it, with an order of their own.
 *
 * @throws {BrokerError} `proof_invalid`, `ledger_unavailable`
 */
export async function useForAct(
  { identity, use }: Operator,
  { ledgers, clock }: Pick<Broker, "ledgers" | "clock">,
): Promise<void> {
  if (use === undefined) throw new BrokerError("proof_invalid", NEEDS_PROOF)
  const ledger = ledgers.of(identity.issuer, identity.unit_id)
  if (!(await ledger.useProof(use, clock.now().getTime()))) throw usedBefore()
}

const usedBefore = () =>
  new BrokerError("proof_invalid", "The DPoP proof was used before. Make a new one for each call.")

/** The claims of a token that this broker has signed. @throws {BrokerError} */
async function verifyToken(
  token: string,
  { signer, cryptography }: Pick<Broker, "signer" | "cryptography">,
): Promise<Claims> {
  const parsed = parseCompactJws(token)
  if (!parsed.ok) throw new BrokerError("token_malformed", `The operator token ${parsed.fault}.`)
  const { alg, kid, payload } = parsed.value
  const published = (await signer.publicKeys()).find((key) => key.kid === kid)
  const key = published && (await cryptography.verifyingKey(published, published.alg))
  if (!key || alg !== published?.alg || !(await key.verifies(token, alg)))
    throw new BrokerError("token_signature_invalid", "The operator token is not signed with a key of this broker.")
  return payload
}

/** The one answer to an operator who lacks a right, whether what was asked for exists or not. */
export const lacks = (right: OperatorRight): BrokerError =>
  new BrokerError(
    "not_allowed",
    `This needs the right ${right}, and the operator token does not have it. Ask for a grant of the provider broker whose may lists it.`,
  )

/** The one answer about what is outside of an operator's scope, and about what does not exist. */
export const outOfSight = (what: string): BrokerError =>
  new BrokerError("not_allowed", `There is no such ${what}, or it is outside of the scope of your grant.`)

function withoutGaps({ owners, units, connections }: z.infer<typeof operatorClaims>["scope"]): OperatorScope {
  return {
    ...(owners === undefined ? {} : { owners }),
    ...(units === undefined ? {} : { units }),
    ...(connections === undefined ? {} : { connections }),
  }
}

const NEEDS_PROOF =
  "This operator token is bound to a key. Send a DPoP proof of that key (RFC 9449) with the call, as the daypass command line does."
const OTHER_KEY = "The DPoP proof is of another key than the one that the operator token is bound to."
const PLAIN =
  "This operator token is not bound to a key, so it can only read metrics. Use the daypass command line, which binds its tokens."
const NOT_AN_OPERATORS =
  "This is not an operator token. Exchange your job's or your own token for a grant of the provider broker first: daypass does it with --broker."
const OTHER_BROKER = "This operator token is of another broker, or of this one under another URL."
const NOT_YET = "The operator token is of a time that has not come. Check the clocks of the brokers."
const EXPIRED = "The operator token has expired. Exchange for a new one."
