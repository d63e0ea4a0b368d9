import { PRODUCT, type Severity, wordsOf } from "./event-words.ts"
import { type Facts, factsOf, type LedgerRecord } from "./facts.ts"

/** Severity numbers of OpenTelemetry's log data model: INFO, INFO2, WARN, ERROR, ERROR2. */
const SEVERITY: Readonly<Record<Severity, number>> = { info: 9, low: 10, medium: 13, high: 17, critical: 18 }

type Attribute = { readonly key: string; readonly value: AnyValue }
type AnyValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } }

/**
 * Records as the body of an OTLP/HTTP request with JSON to a collector's `/v1/logs` (OpenTelemetry Protocol 1.x; JSON mapping
 * of protobuf: 64-bit numbers are texts).
 */
export function otlpLogs(records: readonly LedgerRecord[], broker: string | null) {
  const resource = {
    attributes: strings({ "service.name": "daypass", "daypass.broker": broker ?? "" }),
  }
  const scope = { name: "daypass.audit", version: PRODUCT.version }
  return { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: records.map(logRecord) }] }] }
}

function logRecord(from: LedgerRecord) {
  const facts = factsOf(from)
  const { name, severity } = wordsOf(facts.event)
  return {
    timeUnixNano: `${BigInt(facts.at) * 1_000_000n}`,
    severityNumber: SEVERITY[severity],
    severityText: severity,
    eventName: `daypass.${facts.event}`,
    body: { stringValue: facts.reason === "" ? name : `${name}: ${facts.reason}` },
    attributes: attributesOf(facts),
  }
}

/** Names by OpenTelemetry's semantic conventions where one fits; the others begin with `daypass.`. */
function attributesOf(facts: Facts): readonly Attribute[] {
  return [
    ...strings({
      "daypass.event": facts.event,
      "daypass.request_id": facts.requestId,
      "daypass.ledger.issuer": facts.issuer,
      "daypass.unit.kind": facts.unitKind,
      "daypass.unit.name": facts.unit,
      "daypass.unit.id": facts.unitId,
      "daypass.owner.name": facts.owner,
      "daypass.owner.id": facts.ownerId,
      "daypass.environment": facts.environment,
      "daypass.trigger": facts.trigger,
      "daypass.lease": facts.lease,
      "daypass.decision": facts.decision,
      "daypass.policy_version": facts.policyVersion,
      "daypass.token.digest": facts.tokenDigest,
      "daypass.token.binding": facts.tokenBinding,
      "vcs.ref.head.name": facts.ref,
      "cicd.pipeline.run.id": facts.runId,
      "daypass.run_attempt": facts.runAttempt,
      "user.name": facts.actor,
      "user.id": facts.actorId,
      "client.address": facts.clientAddress,
    }),
    { key: "daypass.seq", value: { intValue: String(facts.seq) } },
    ...lists({
      "daypass.grants": facts.grants.map(({ name }) => name),
      "daypass.connections": facts.grants.map(({ connection }) => connection),
      "daypass.resources": facts.grants.map(({ resource }) => resource),
    }),
  ]
}

const strings = (values: Readonly<Record<string, string>>): readonly Attribute[] =>
  Object.entries(values).flatMap(([key, value]) => (value === "" ? [] : [{ key, value: { stringValue: value } }]))

const lists = (values: Readonly<Record<string, readonly string[]>>): readonly Attribute[] =>
  Object.entries(values).flatMap(([key, all]) =>
    all.length === 0 ? [] : [{ key, value: { arrayValue: { values: all.map((one) => ({ stringValue: one })) } } }],
  )
