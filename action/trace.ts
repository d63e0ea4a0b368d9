import type { BoundaryTrace, ConditionTrace, FieldTrace, GrantTrace, RuleTrace, Trace } from "../broker/wire/trace.ts"
import { memberOf } from "./json.ts"

const MAX_TEXT_CHARACTERS = 2_000
export const MAX_LIST = 200

/** Reads the trace of a problem document; null for any other value. Texts and lists are cut, types are checked. */
export function readTrace(value: unknown): Trace | null {
  const grants = memberOf(value, "grants")
  if (!Array.isArray(grants)) return null
  const subject = memberOf(value, "subject")
  const environment = memberOf(subject, "environment")
  return {
    subject: {
      issuer: readText(memberOf(subject, "issuer")),
      unit_kind: readText(memberOf(subject, "unit_kind")),
      unit: readText(memberOf(subject, "unit")),
      unit_id: readText(memberOf(subject, "unit_id")),
      environment: typeof environment === "string" ? readText(environment) : null,
    },
    policies: readList(memberOf(value, "policies")).map(readText),
    notes: readList(memberOf(value, "notes")).map(readText),
    grants: readList(grants).map(readGrantTrace),
  }
}

function readGrantTrace(value: unknown): GrantTrace {
  const change = memberOf(value, "change")
  return {
    name: readText(memberOf(value, "name")),
    outcome: memberOf(value, "outcome") === "allow" ? "allow" : "deny",
    reason: readText(memberOf(value, "reason")),
    ...(typeof change === "string" && { change: readText(change) }),
    rules: readList(memberOf(value, "rules")).map(readRuleTrace),
    boundaries: readList(memberOf(value, "boundaries")).map(readBoundaryTrace),
  }
}

function readRuleTrace(value: unknown): RuleTrace {
  return {
    kind: memberOf(value, "kind") === "allow" ? "allow" : "deny",
    name: readText(memberOf(value, "name")),
    file: readText(memberOf(value, "file")),
    line: readLine(memberOf(value, "line")),
    matched: memberOf(value, "matched") === true,
    conditions: readList(memberOf(value, "conditions")).map(readConditionTrace),
  }
}

function readBoundaryTrace(value: unknown): BoundaryTrace {
  return {
    name: readText(memberOf(value, "name")),
    file: readText(memberOf(value, "file")),
    line: readLine(memberOf(value, "line")),
    matched: memberOf(value, "matched") === true,
    allows: memberOf(value, "allows") === true,
    conditions: readList(memberOf(value, "conditions")).map(readConditionTrace),
    required: readList(memberOf(value, "required")).map(readConditionTrace),
    fields: readList(memberOf(value, "fields")).map(readFieldTrace),
    environment: readList(memberOf(value, "environment")).map(readText),
  }
}

function readFieldTrace(value: unknown): FieldTrace {
  const actual = memberOf(value, "actual")
  return {
    field: readText(memberOf(value, "field")),
    expected: readText(memberOf(value, "expected")),
    actual: typeof actual === "string" ? readText(actual) : null,
  }
}

function readConditionTrace(value: unknown): ConditionTrace {
  const actual = memberOf(value, "actual")
  return {
    claim: readText(memberOf(value, "claim")),
    expected: readText(memberOf(value, "expected")),
    actual: typeof actual === "string" ? readText(actual) : null,
    matched: memberOf(value, "matched") === true,
  }
}

function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_LIST) : []
}

function readLine(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : 0
}

/** Text of the broker, cut; empty for any other value. */
export function readText(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_TEXT_CHARACTERS) : ""
}
