import type { AuditEvent, AuditRecord } from "../core/audit-record.ts"
import { type Html, html } from "./html.ts"

/** `2026-11-29 18:30:05`, for people; the exact time is beside it for programs. */
export const time = (at: string | number | Date): Html => {
  const iso = new Date(at).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const

/** `3 hours`, rounded down; under a minute: `moments`. */
export function span(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  for (const [name, size] of UNITS) {
    const count = Math.floor(seconds / size)
    if (count >= 1) return counted(count, name)
  }
  return "moments"
}

/** `1 record`, `1,200 records`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`

/** What an event means for people, and its colour. */
const EVENTS: Readonly<Record<AuditEvent, readonly [words: string, tone: "good" | "bad" | "warn" | ""]>> = {
  "exchange.minted": ["granted", "good"],
  "exchange.denied": ["denied", "bad"],
  "exchange.failed": ["failed", "bad"],
  "exchange.intended": ["about to mint", ""],
  "token.replayed": ["replayed token", "bad"],
  "token.unbound": ["token without its key", "bad"],
  "lease.refused": ["lease refused", "bad"],
  "limit.reached": ["limit reached", "warn"],
  "denials.counted": ["denials counted", "warn"],
  "lease.revoking": ["revoking", ""],
  "lease.closed": ["lease closed", ""],
  "operator.acted": ["operator acted", "warn"],
  "stop.ordered": ["stop ordered", "warn"],
  "stop.lifted": ["stop lifted", "warn"],
  "keys.changed": ["keys changed", "warn"],
  "log.begun": ["log begun", ""],
  "record.rewritten": ["record rewritten", "bad"],
  "policies.changed": ["policies changed", ""],
  "records.archived": ["records archived", ""],
  "leak.reported": ["leaked value reported", "bad"],
  "alert.failed": ["alert not delivered", "warn"],
}

/** An event that this version does not name is shown as it is. */
export function eventTag(event: string): Html {
  const [words, tone] = (Object.hasOwn(EVENTS, event) ? EVENTS[event as AuditEvent] : undefined) ?? [event, ""]
  return html`<span class="tag ${tone}" title="${event}">${words}</span>`
}

/** The events that a search can ask for by name. */
export const NAMED_EVENTS: readonly (readonly [string, string])[] = Object.entries(EVENTS).map(([event, [words]]) => [
  event,
  words,
])

/** What a record is about, on one line. */
export const gistOf = ({ event, grants, reason }: AuditRecord): string => {
  const names = grants.map(({ name, connection }) => `${name} through ${connection}`).join(", ")
  return event === "exchange.minted" || names === "" ? names || reason : `${names}: ${reason}`
}

/** A text that may be long, cut for a place that is narrow. */
export const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)
