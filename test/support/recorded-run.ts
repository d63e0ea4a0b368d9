import { type AuditRecord, auditIdentity } from "../../broker/core/audit-record.ts"
import type { Identity } from "../../broker/core/identity.ts"
import { claimsRead, recordedClaims } from "../../broker/core/policy/claims-read.ts"
import { decide } from "../../broker/core/policy/decide.ts"
import type { ProtectionFact } from "../../broker/core/policy/environment-protection.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"

export interface RecordedRun {
  readonly identity: Identity
  readonly grants: readonly string[]
  readonly at?: string
  readonly bound?: boolean
  readonly protection?: ProtectionFact
  readonly providers?: ProviderSchemaTable
}

/**
 * What the broker records of a run that these policies decide: by its own engine, and with the claims that it would record. The
 * order of its members is of no matter to a reader.
 */
export function recordedRun(set: PolicySet, run: RecordedRun): AuditRecord {
  const { identity, grants, at = "2026-11-01T00:00:00.000Z", bound = true, protection, providers } = run
  const { organisation } = set
  const policies = set.policiesOf(identity)
  const decision = decide({ organisation, policies, identity, grants, ...(protection && { protection }) })
  const unbound = decision.requireBoundToken && !bound
  const isAllowed = decision.outcome === "allow" && !unbound
  const code = decision.outcome === "deny" ? decision.code : "bound_token_required"
  return {
    version: 2,
    seq: 1,
    at,
    request_id: crypto.randomUUID(),
    event: isAllowed ? "exchange.intended" : "exchange.denied",
    identity: auditIdentity(identity),
    token_digest: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
    token_binding: bound ? "thumbprint" : "none",
    lease: isAllowed ? crypto.randomUUID() : null,
    grants:
      decision.outcome === "allow" && isAllowed
        ? decision.grants.map(({ grant, ttlSeconds }) => ({
            name: grant.name,
            connection: grant.connection.name,
            provider: grant.connection.provider,
            resource: providers?.get(grant.connection.provider)?.resource(grant.fields) ?? "",
            ttl_seconds: ttlSeconds,
          }))
        : [],
    decision: isAllowed ? "allow" : "deny",
    reason: isAllowed ? "allowed" : `${code}: ${grants.join(", ")}`,
    policy_version: set.version,
    client_address: null,
    ...recordedClaims(claimsRead(organisation, policies, identity), identity),
  }
}
