import {
  type AuditDraft,
  type AuditEvent,
  type AuditGrant,
  auditIdentity,
  type Learnt,
  RECORD_VERSION,
  recordedApproval,
} from "../core/audit-record.ts"
import { factsOf } from "../core/families/families.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import { visible } from "../core/policy/faults.ts"
import { bindingOf } from "./binding.ts"
import type { Broker } from "./broker.ts"
import type { Call } from "./call.ts"
import type { Proved } from "./caller.ts"

/** Makes audit drafts for one call. It fills in the caller, the address and the policies; the event adds the rest. */
export function draftOf(call: Call, caller: Proved, policyVersion: string | null, broker: Broker) {
  const { identity, digest, issuer } = caller.token
  return (
    event: AuditEvent,
    facts: Partial<Pick<AuditDraft, "lease" | "grants" | "decision">> & { readonly reason: string },
  ): AuditDraft => ({
    version: RECORD_VERSION,
    at: broker.clock.now().toISOString(),
    request_id: call.requestId,
    event,
    identity: auditIdentity(identity),
    token_digest: digest,
    token_binding: bindingOf(caller, factsOf(issuer.family)),
    lease: facts.lease ?? null,
    grants: facts.grants ?? [],
    decision: facts.decision ?? null,
    reason: facts.reason,
    policy_version: policyVersion,
    client_address: call.clientAddress,
  })
}

/** A grant as records name it, with what its mint found out. */
export function auditGrant(
  { grant, ttlSeconds, approvals }: GrantedGrant,
  learnt: Learnt | undefined,
  broker: Broker,
): AuditGrant {
  return {
    name: grant.name,
    connection: grant.connection.name,
    provider: grant.connection.provider,
    // A claim may have filled a gap in it.
    resource: visible(broker.providers.get(grant.connection.provider)?.resource(grant.fields) ?? ""),
    ttl_seconds: ttlSeconds,
    ...(approvals && { break_glass: { approvals: approvals.map(recordedApproval) } }),
    ...learnt,
  }
}
