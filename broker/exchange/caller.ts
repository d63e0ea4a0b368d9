import { isOwnerListed } from "../core/policy/decide.ts"
import { DEFAULT_LIMITS, type Limits, limitsOf } from "../core/policy/limits.ts"
import type { Organisation } from "../core/policy/model.ts"
import { type VerifiedProof, verifyProof } from "../issuers/dpop.ts"
import type { VerifiedToken } from "../issuers/verify.ts"
import type { PolicySnapshot } from "../ports/policy-source.ts"
import type { Broker } from "./broker.ts"
import type { Call } from "./call.ts"

/** What a call has proved. */
export interface Proved {
  readonly token: VerifiedToken
  /** The DPoP proof of the job's key; null when the call carries none. */
  readonly proof: VerifiedProof | null
}

export interface Caller extends Proved {
  /** The policies in force when the call arrived. One set decides the whole call. */
  readonly snapshot: PolicySnapshot
  /** False for a valid token whose owner is not listed: the call is answered, but nothing of it is stored. */
  readonly own: boolean
}

/**
 * Verifies the caller's subject token against the issuers of the policies in force, and the proof if there is one.
 *
 * @throws {BrokerError} `token_*`, `proof_invalid`, `issuer_unavailable`, `policy_unavailable`
 */
export async function verifyCaller(call: Call, broker: Broker): Promise<Caller> {
  const snapshot = await broker.policySource.snapshot()
  const { issuers } = snapshot.organisation
  await broker.knownIssuers.remember(snapshot.version, issuers)
  const proved = await verifyProved(call, issuers, broker)
  return { ...proved, snapshot, own: isOwnerListed(proved.token.identity, issuers) }
}

/** The caller of a revocation. */
export interface Revoker extends Proved {
  readonly limits: Limits
  readonly own: boolean
  /** Null when no policies could be loaded. */
  readonly policyVersion: string | null
}

/**
 * Verifies a subject token for a revocation. That must also work while no policies can be loaded: the token is then verified
 * against the issuers of the policies that were in force last.
 *
 * @throws {BrokerError} `token_*`, `proof_invalid`, `issuer_unavailable`, `policy_unavailable` when no policies were ever in force
 */
export async function verifyRevoker(call: Call, broker: Broker): Promise<Revoker> {
  const snapshot = await broker.policySource.snapshot().catch((error: unknown) => error)
  if (isSnapshot(snapshot)) {
    const { organisation, version } = snapshot
    const proved = await verifyProved(call, organisation.issuers, broker)
    const { identity } = proved.token
    const own = isOwnerListed(identity, organisation.issuers)
    return { ...proved, limits: limitsOf(organisation, identity), own, policyVersion: version }
  }
  const issuers = await broker.knownIssuers.recall()
  if (issuers === null) throw snapshot
  const proved = await verifyProved(call, issuers, broker)
  const own = isOwnerListed(proved.token.identity, issuers)
  return { ...proved, limits: DEFAULT_LIMITS, own, policyVersion: null }
}

const isSnapshot = (given: unknown): given is PolicySnapshot =>
  typeof given === "object" && given !== null && "policiesOf" in given

async function verifyProved(call: Call, issuers: Organisation["issuers"], broker: Broker): Promise<Proved> {
  const token = await broker.verifier.verify(call.subjectToken, issuers, call.audience)
  const { identity } = token
  call.event.unit_kind = identity.unitKind
  call.event.unit = identity.unit
  call.event.unit_id = identity.unitId
  call.event.environment = identity.environment ?? null
  call.event.run_id = identity.runId
  if (call.proof === undefined) return { token, proof: null }
  const { text, method, path } = call.proof
  // After the token: only a caller with a valid one makes the broker verify a second signature. The URL is the broker's own,
  // because a proxy may have changed the host.
  const proved = { method, url: `${broker.url}${path}`, token: call.subjectToken, now: broker.clock.now() }
  return { token, proof: await verifyProof(text, proved, broker.cryptography) }
}
