import { type EventWords, PRODUCT, type Severity, wordsOf } from "./event-words.ts"
import { type Facts, factsOf, type LedgerRecord } from "./facts.ts"

/** The version of the Open Cybersecurity Schema Framework whose classes these events have. */
export const OCSF_VERSION = "1.8.0"

const IAM = { category_uid: 3, category_name: "Identity & Access Management" }

const SEVERITY: Readonly<Record<Severity, readonly [number, string]>> = {
  info: [1, "Informational"],
  low: [2, "Low"],
  medium: [3, "Medium"],
  high: [4, "High"],
  critical: [5, "Critical"],
}

const STATUS = { success: [1, "Success"], failure: [2, "Failure"], unknown: [0, "Unknown"] } as const

/** An activity of a class, by its number there. */
interface Activity {
  readonly of: "authentication" | "session" | "entity"
  readonly id: number
  readonly name: string
}

const CLASSES = {
  authentication: { class_uid: 3002, class_name: "Authentication" },
  session: { class_uid: 3003, class_name: "Authorize Session" },
  entity: { class_uid: 3004, class_name: "Entity Management" },
} as const

const LOGON: Activity = { of: "authentication", id: 1, name: "Logon" }
const ASSIGN: Activity = { of: "session", id: 1, name: "Assign Privileges" }

/** What is not here is something that the broker or an operator did: entity management, another activity. */
const ACTIVITIES: Readonly<Record<string, Activity>> = {
  __proto__: null as never,
  "exchange.intended": LOGON,
  "exchange.denied": LOGON,
  "token.replayed": LOGON,
  "token.unbound": LOGON,
  "lease.refused": LOGON,
  "limit.reached": LOGON,
  "denials.counted": LOGON,
  "exchange.minted": ASSIGN,
  "exchange.failed": ASSIGN,
  "lease.revoking": { of: "authentication", id: 99, name: "Revoke" },
  "lease.closed": { of: "authentication", id: 2, name: "Logoff" },
  "keys.changed": { of: "entity", id: 3, name: "Update" },
  "policies.changed": { of: "entity", id: 3, name: "Update" },
  "stop.ordered": { of: "entity", id: 11, name: "Deactivate" },
  "stop.lifted": { of: "entity", id: 10, name: "Activate" },
}

/**
 * A record as an event of OCSF. An exchange that minted is Authorize Session (3003); what asked for one, and the end of a
 * lease, are Authentication (3002); what the broker and its operators do is Entity Management (3004).
 *
 * What OCSF has no place for is in `unmapped`, under the record's own names, so that nothing is lost.
 */
export function ocsfEvent(from: LedgerRecord): object {
  const facts = factsOf(from)
  const words = wordsOf(facts.event)
  const wanted = ACTIVITIES[facts.event] ?? { of: "entity", id: 99, name: words.name }
  const privileges = facts.grants.map((grant) => grant.name).filter((name) => name !== "")
  // Authorize Session must name privileges.
  const activity = wanted.of === "session" && privileges.length === 0 ? LOGON : wanted
  const { class_uid, class_name } = CLASSES[activity.of]
  return {
    ...IAM,
    class_uid,
    class_name,
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: class_uid * 100 + activity.id,
    type_name: `${class_name}: ${activity.name}`,
    time: facts.at,
    ...outcomeOf(words),
    message: facts.reason === "" ? words.name : `${words.name}: ${facts.reason}`,
    metadata: {
      version: OCSF_VERSION,
      product: { ...PRODUCT, vendor_name: PRODUCT.name },
      uid: `${facts.issuer} ${facts.unitId} ${facts.seq}`,
      event_code: facts.event,
      sequence: facts.seq,
      log_name: "audit",
    },
    ...personOf(facts),
    ...(facts.requestId === "" ? {} : { http_request: { uid: facts.requestId } }),
    ...(facts.clientAddress === "" ? {} : { src_endpoint: { ip: facts.clientAddress } }),
    ...subjectOf(facts, activity.of, privileges),
    unmapped: unmappedOf(facts),
  }
}

function outcomeOf({ severity, outcome }: EventWords) {
  const [severity_id, severityName] = SEVERITY[severity]
  const [status_id, status] = STATUS[outcome ?? "unknown"]
  return { severity_id, severity: severityName, status_id, status }
}

/** The person behind the job. */
function personOf({ actor, actorId }: Facts) {
  if (actor === "" && actorId === "") return {}
  return { actor: { user: { ...named("name", actor), ...named("uid", actorId) } } }
}

/** The unit, which is what logs in here: no person has an account. */
function subjectOf(facts: Facts, of: Activity["of"], privileges: readonly string[]) {
  if (of === "entity")
    return { entity: { ...named("name", facts.unit), uid: facts.unitId, type: facts.unitKind || "broker" } }
  const org =
    facts.owner === "" && facts.ownerId === ""
      ? {}
      : { org: { ...named("name", facts.owner), ...named("uid", facts.ownerId) } }
  const user = { ...named("name", facts.unit), uid: facts.unitId, type_id: 99, type: facts.unitKind || "unit", ...org }
  const session = { issuer: facts.issuer, ...named("uid", facts.lease) }
  return of === "session" ? { user, session, privileges } : { user, session, service: { name: "Daypass" } }
}

function unmappedOf(facts: Facts) {
  return {
    ...named("environment", facts.environment),
    ...named("ref", facts.ref),
    ...named("event", facts.trigger),
    ...named("run_id", facts.runId),
    ...named("run_attempt", facts.runAttempt),
    ...named("policy_version", facts.policyVersion),
    ...named("token_digest", facts.tokenDigest),
    ...named("token_binding", facts.tokenBinding),
    ...(facts.grants.length === 0 ? {} : { grants: facts.grants }),
  }
}

const named = (name: string, value: string) => (value === "" ? {} : { [name]: value })
