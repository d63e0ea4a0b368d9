/** How events of other systems name who wrote them. The version is that of these mappings. */
export const PRODUCT = { name: "Daypass", version: "1" } as const

/** How much an operator should care. */
export type Severity = "info" | "low" | "medium" | "high" | "critical"

/** What other systems are told of an event of the record, beside its facts. */
export interface EventWords {
  /** A short name for people. */
  readonly name: string
  readonly severity: Severity
  /** Null for an event that neither gives nor refuses anything. */
  readonly outcome: "success" | "failure" | null
}

const EVENTS: Readonly<Record<string, EventWords>> = {
  __proto__: null as never,
  "exchange.intended": { name: "Exchange allowed", severity: "info", outcome: "success" },
  "exchange.minted": { name: "Credentials minted", severity: "info", outcome: "success" },
  "exchange.failed": { name: "Exchange failed", severity: "low", outcome: "failure" },
  "exchange.denied": { name: "Exchange denied", severity: "low", outcome: "failure" },
  "token.replayed": { name: "Used token sent again", severity: "high", outcome: "failure" },
  "token.unbound": { name: "Bound token sent without its key", severity: "high", outcome: "failure" },
  "lease.refused": { name: "Another run's lease asked for", severity: "medium", outcome: "failure" },
  "limit.reached": { name: "Limit reached", severity: "low", outcome: "failure" },
  "denials.counted": { name: "Denials beyond the limit", severity: "low", outcome: "failure" },
  "lease.revoking": { name: "Revocation running", severity: "info", outcome: null },
  "lease.closed": { name: "Lease closed", severity: "info", outcome: "success" },
  "operator.acted": { name: "Operator acted", severity: "medium", outcome: "success" },
  "stop.ordered": { name: "Stop ordered", severity: "high", outcome: "success" },
  "stop.lifted": { name: "Stop lifted", severity: "medium", outcome: "success" },
  "keys.changed": { name: "Keys changed", severity: "medium", outcome: "success" },
  "log.begun": { name: "Log of heads begun", severity: "low", outcome: "success" },
  "record.rewritten": { name: "Record rewritten", severity: "critical", outcome: null },
  "policies.changed": { name: "Policies changed", severity: "low", outcome: "success" },
  "records.archived": { name: "Exported records archived", severity: "info", outcome: null },
  "leak.reported": { name: "Leak of a credential reported", severity: "critical", outcome: null },
  "alert.failed": { name: "Alert not delivered", severity: "high", outcome: "failure" },
}

/** An event that this version does not know keeps its own name: a newer broker wrote it. */
export const wordsOf = (event: string): EventWords =>
  EVENTS[event] ?? { name: event, severity: "medium", outcome: null }

/** The events that have words of their own. */
export const NAMED_EVENTS: readonly string[] = Object.keys(EVENTS)
