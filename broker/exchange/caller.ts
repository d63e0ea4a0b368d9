import { BrokerError } from "../core/errors.ts"
import { isOwnerListed } from "../core/policy/decide.ts"
import { DEFAULT_LIMITS, type Limits, limitsOf } from "../core/policy/limits.ts"
import type { Organisation } from "../core/policy/model.ts"
import type { VerifiedToken } from "../issuers/verify.ts"
import type { PolicySnapshot } from "../ports/policy-source.ts"
import type { Broker } from "./broker.ts"
import type { Call, JobKey } from "./call.ts"

export interface Caller {
  readonly token: VerifiedToken
  /** The policies in force when the call arrived. One set decides the whole call. */
  readonly snapshot: PolicySnapshot
  /** False for a valid token whose owner is not listed: the call is answered, but nothing of it is stored. */
  readonly own: boolean
}

/**
 * Verifies the caller's subject token against the issuers of the policies in force.
 *
 * @throws {BrokerError} `token_*`, `issuer_unavailable`, `policy_unavailable`
 */
export async function verifyCaller(call: Call, broker: Broker): Promise<Caller> {
  const snapshot = await broker.policySource.snapshot()
  const { issuers } = snapshot.organisation
  await broker.knownIssuers.remember(snapshot.version, issuers)
  const token = await verifyToken(call, issuers, broker)
  return { token, snapshot, own: isOwnerListed(token.identity, issuers) }
}

/** The caller of a revocation. */
export interface Revoker {
  readonly token: VerifiedToken
  readonly limits: Limits
  readonly own: boolean
  /** Null when no policies could be loaded. */
  readonly policyVersion: string | null
}

/**
 * Verifies a subject token for a revocation. That must also work while no policies can be loaded: the token is then verified
 * against the issuers of the policies that were in force last.
 *
 * @throws {BrokerError} `token_*`, `issuer_unavailable`, `policy_unavailable` when no policies were ever in force
 */
export async function verifyRevoker(call: Call, broker: Broker): Promise<Revoker> {
  const snapshot = await broker.policySource.snapshot().catch((error: unknown) => error)
  if (isSnapshot(snapshot)) {
    const { organisation, version } = snapshot
    const token = await verifyToken(call, organisation.issuers, broker)
    const own = isOwnerListed(token.identity, organisation.issuers)
    return { token, limits: limitsOf(organisation, token.identity), own, policyVersion: version }
  }
  const issuers = await broker.knownIssuers.recall()
  if (issuers === null) throw snapshot
  const token = await verifyToken(call, issuers, broker)
  return { token, limits: DEFAULT_LIMITS, own: isOwnerListed(token.identity, issuers), policyVersion: null }
}

const isSnapshot = (given: unknown): given is PolicySnapshot =>
  typeof given === "object" && given !== null && "policiesOf" in given

async function verifyToken(call: Call, issuers: Organisation["issuers"], broker: Broker): Promise<VerifiedToken> {
  const token = await broker.verifier.verify(call.subjectToken, issuers, call.audience)
  const { identity } = token
  call.event.unit_kind = identity.unitKind
  call.event.unit = identity.unit
  call.event.unit_id = identity.unitId
  call.event.environment = identity.environment ?? null
  call.event.run_id = identity.runId
  return token
}

/**
 * Checks that a key-bound token matches the key in the request. A bound token without its key, or with another key, is
 * refused: so a stolen token is useless without the key. A plain token with a key is refused too, because the caller
 * believes that its token is bound.
 *
 * @throws {BrokerError} `key_mismatch`
 */
export function requireMatchingKey(token: VerifiedToken, key: JobKey | undefined): void {
  if (token.boundTo === (key?.thumbprint ?? null)) return
  throw new BrokerError("key_mismatch", mismatch(token, key))
}

function mismatch(token: VerifiedToken, key: JobKey | undefined): string {
  if (token.boundTo === null) {
    return "The request has a key, but the subject token is not bound to it. Ask the runner for the audience `<audience>?jkt=<thumbprint of the key>`."
  }
  if (key === undefined) {
    return "The subject token is bound to a key, but the request has no key. Send the public key that the token's audience names."
  }
  return "The subject token is bound to a different key than the one in the request. Send the public key that the token's audience names."
}
