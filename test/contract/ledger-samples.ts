import type { AuditDraft, AuditEvent } from "../../broker/core/audit-record.ts"
import { DEFAULT_LIMITS } from "../../broker/core/policy/limits.ts"
import type {
  Admission,
  LeaseCredential,
  LeaseOpening,
  MintedAdmission,
  Preparation,
  RevocationRequest,
  RevocationSettlement,
  Settlement,
} from "../../broker/ports/ledger.ts"
import type { TokenUse } from "../../broker/ports/token-use.ts"

/** When the stories take place, Unix milliseconds: far from now, so that no real alarm rings in the middle of one. */
export const NOW = Date.parse("2100-01-01T10:00:00.000Z")
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

export const RUN = { runId: "100", runAttempt: "1" } as const

/** A record of `event`, written `after` milliseconds after NOW. */
export function record(event: AuditEvent, lease: string | null = null, after = 0): AuditDraft {
  return {
    version: 2,
    at: new Date(NOW + after).toISOString(),
    request_id: "request-1",
    event,
    identity: null,
    token_digest: null,
    token_binding: null,
    lease,
    grants: [],
    decision: null,
    reason: "a test",
    policy_version: null,
    client_address: null,
  }
}

/** A token that verifies for ten minutes from NOW. */
export function token(key: string): TokenUse {
  return { key, issuedAt: NOW / 1000, expiresAt: (NOW + 10 * MINUTE) / 1000 }
}

/** A lease of which the broker hears nothing more is over after a minute. */
export const opening = (lease: string): LeaseOpening => ({
  id: lease,
  ...RUN,
  settleBy: NOW + MINUTE,
  endsBy: NOW + 2 * HOUR,
  unknownUntil: 0,
  limited: [],
})

const asking = (tokenKey: string) => ({
  token: token(tokenKey),
  now: NOW,
  limits: DEFAULT_LIMITS,
  replayAudit: record("token.replayed"),
  overLimitAudit: record("limit.reached"),
})

export function admission(lease: string, tokenKey = `token of ${lease}`): Admission {
  return {
    ...asking(tokenKey),
    lease: opening(lease),
    audit: record("exchange.intended", lease),
  }
}

/** A whole exchange whose credentials the broker minted in its memory. */
export function mintedAtOnce(
  lease: string,
  credentials: readonly LeaseCredential[] = [expiring()],
  tokenKey = `token of ${lease}`,
): MintedAdmission {
  return { ...asking(tokenKey), lease: opening(lease), credentials, audit: record("exchange.minted", lease) }
}

export function denial(tokenKey: string): Admission {
  return { ...asking(tokenKey), audit: record("exchange.denied") }
}

/** What can revoke a credential that is about to be minted. */
export function preparation(lease: string, grant: string, unknownUntil = 0): Preparation {
  return { lease, credential: revocable(grant, { expiresAt: null }), unknownUntil, now: NOW }
}

export function minted(lease: string, ...credentials: readonly LeaseCredential[]): Settlement {
  return { lease, outcome: "minted", credentials, audit: record("exchange.minted", lease) }
}

export function failed(lease: string, ...leftovers: readonly LeaseCredential[]): Settlement {
  return { lease, outcome: "failed", credentials: leftovers, audit: record("exchange.failed", lease) }
}

/** Lives for an hour from NOW, which is what was granted, and can be taken back. */
export function revocable(grant = "vault", changes: Partial<LeaseCredential> = {}): LeaseCredential {
  return {
    grant,
    connection: "vault-prod",
    provider: "vault",
    revocation: "revocable",
    expiresAt: NOW + HOUR,
    grantedUntil: NOW + HOUR,
    sealedHandle: `sealed ${grant}`,
    ...changes,
  }
}

/** Was granted for so many minutes from NOW, and can be taken back; its vendor lets it live for an hour. */
export function outliving(grant: string, minutes: number, changes: Partial<LeaseCredential> = {}): LeaseCredential {
  return revocable(grant, { grantedUntil: NOW + minutes * MINUTE, ...changes })
}

/** Lives for an hour from NOW, whatever happens. */
export function expiring(grant = "aws", changes: Partial<LeaseCredential> = {}): LeaseCredential {
  return {
    grant,
    connection: "aws-prod",
    provider: "aws",
    revocation: "expires-only",
    expiresAt: NOW + HOUR,
    grantedUntil: null,
    sealedHandle: null,
    ...changes,
  }
}

export function revocation(lease: string, changes: Partial<RevocationRequest> = {}): RevocationRequest {
  return {
    lease,
    ...RUN,
    token: token(`revoking ${lease} ${Math.random()}`),
    now: NOW + MINUTE,
    limits: DEFAULT_LIMITS,
    audit: record("lease.revoking", lease),
    replayAudit: record("token.replayed"),
    foreignAudit: record("lease.refused", lease),
    ...changes,
  }
}

export function revoked(
  lease: string,
  outcomes: RevocationSettlement["outcomes"],
  now = NOW + MINUTE,
): RevocationSettlement {
  return { lease, outcomes, now, audit: record("lease.closed", lease) }
}
