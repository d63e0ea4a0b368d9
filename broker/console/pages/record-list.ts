import type { AuditRecord } from "../../core/audit-record.ts"
import type { Organisation } from "../../core/policy/model.ts"
import type { FoundRecord } from "../../ports/record-index.ts"
import type { ConditionTrace, GrantTrace, Trace } from "../../wire/trace.ts"
import type { DecidedAgain } from "../analysis.ts"
import { type Html, html, pathOf, type Shown, when } from "../html.ts"
import { issuerName, note } from "../view.ts"
import { eventTag, gistOf, time } from "../words.ts"

/** A denial that was decided again, and by which policies. */
export interface Recalled extends DecidedAgain {
  /** Whether these are the policies that denied it. */
  readonly same: boolean
}

/** Records, each with all that it says behind one press of a key. */
export const recordList = (
  found: readonly FoundRecord[],
  organisation: Organisation,
  again: ReadonlyMap<FoundRecord, Recalled> = new Map(),
): Html =>
  html`<ul class="records">${found.map(
    (one) => html`<li><details><summary>
<span class="mono">${time(one.record.at)}</span><span>${eventTag(one.record.event)}</span><span>${one.record.identity?.unit ?? "the broker"}</span><span class="soft">${gistOf(one.record)}</span>
</summary><div class="inside">${traceOf(again.get(one))}${inside(one, organisation)}</div></details></li>
`,
  )}</ul>`

function inside({ record, issuerUrl, unitId, leaf }: FoundRecord, organisation: Organisation): Html {
  const { identity } = record
  const rows: readonly (readonly [string, Shown])[] = [
    ["reason", record.reason],
    ...record.grants.map((grant): readonly [string, Shown] => ["grant", grantOf(grant)]),
    [
      "unit",
      html`<a href="${pathOf("/console/unit", { issuer: issuerUrl, id: unitId })}">${identity?.unit ?? unitId}</a> (${issuerName(issuerUrl, organisation)}, id ${unitId})`,
    ],
    ...(identity === null ? [] : jobOf(identity)),
    [
      "lease",
      record.lease === null
        ? null
        : html`<a href="${pathOf("/console/lease", { lease: record.lease })}"><code>${record.lease}</code></a>`,
    ],
    ["claims read", record.claims === undefined ? null : claimsOf(record.claims)],
    ["client", record.client_address],
    ["token", record.token_binding],
    ["policies", record.policy_version === null ? null : html`<code>${record.policy_version.slice(0, 16)}</code>`],
    [
      "record",
      html`number ${record.seq}, <code>${leaf.slice(0, 16)}</code>, request <code>${record.request_id}</code>`,
    ],
  ]
  return html`<dl>${rows
    .filter(([, value]) => value !== null && value !== "")
    .map(
      ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>
`,
    )}</dl>`
}

const grantOf = ({
  name,
  connection,
  resource,
  ttl_seconds: ttl,
  fingerprints = {},
  ids = {},
}: AuditRecord["grants"][number]): Html =>
  html`<strong>${name}</strong> through <a href="${pathOf("/console/search", { connection })}">${connection}</a>: <code>${resource}</code>, ${ttl} s${[
    ...Object.values(ids),
    ...Object.values(fingerprints),
  ].map(
    (mark) =>
      html` <a class="mono" href="${pathOf("/console/search", { fingerprint: mark })}">${mark.slice(0, 20)}</a>`,
  )}`

const jobOf = (identity: NonNullable<AuditRecord["identity"]>): readonly (readonly [string, Shown])[] => [
  ["environment", identity.environment],
  ["ref", identity.ref],
  ["event", identity.event],
  [
    "actor",
    identity.actor === null
      ? null
      : html`<a href="${pathOf("/console/search", { actor: identity.actor })}">${identity.actor}</a>${identity.actor_id === null ? "" : ` (${identity.actor_id})`}`,
  ],
  [
    "run",
    identity.run_id === ""
      ? null
      : html`<a href="${pathOf("/console/search", { run: identity.run_id })}">${identity.run_id}</a>, attempt ${identity.run_attempt}`,
  ],
]

function claimsOf(claims: NonNullable<AuditRecord["claims"]>): Shown {
  const entries = Object.entries(claims)
  if (entries.length === 0) return null
  return entries.map(([name, value]) => {
    const text = value === null ? "(not recorded)" : typeof value === "string" ? value : value.join(", ")
    return html`<code>${name}</code> ${text}<br>`
  })
}

const OUTCOMES = {
  deny: "they deny it",
  allow: "they would allow it",
  protected: "it depends on how the environment is protected",
  unknown: "the record does not have all claims that they read",
} as const

/** The trace, as a job reads it in its answer. */
function traceOf(again: Recalled | undefined): Html | null {
  if (again === undefined) return null
  const { outcome, trace, same } = again
  const whose = same ? "By the policies that denied it" : "By the policies of today, which are not those that denied it"
  return html`<h3>Why it was denied</h3>${when(!same || outcome !== "deny", () => note("warn", `${whose}: ${OUTCOMES[outcome]}.`))}${trace === null ? null : traceBody(trace)}`
}

const traceBody = ({ grants, notes }: Trace): Html =>
  html`<ul class="trace">${grants.map(grantTrace)}</ul>${notes.map((one) => html`<p class="soft">${one}</p>`)}`

const grantTrace = ({ name, outcome, reason, change, rules, boundaries = [] }: GrantTrace): Html =>
  html`<li>${mark(outcome === "allow")}<strong>${name}</strong>: ${reason}${change === undefined ? "" : ` ${change}`}
<ul class="trace">${rules.map(
    ({
      kind,
      name: rule,
      file,
      line,
      matched,
      conditions,
    }) => html`<li>${kind} “${rule}” <span class="soft">${file}:${line}, ${matched ? "matches" : "does not match"}</span><ul class="trace">${conditions.map(conditionTrace)}</ul></li>
`,
  )}${boundaries.map(
    ({
      name: boundary,
      file,
      line,
      matched,
      allows,
      conditions,
      required,
    }) => html`<li>boundary “${boundary}” <span class="soft">${file}:${line}, ${matched ? (allows ? "allows it" : "does not allow it") : "does not match"}</span><ul class="trace">${[...conditions, ...required].map(conditionTrace)}</ul></li>
`,
  )}</ul></li>
`

const conditionTrace = ({ claim, expected, actual, matched }: ConditionTrace): Html =>
  html`<li>${mark(matched)}<code>${claim}</code> is ${actual === null ? "missing" : html`<code>${actual}</code>`}, must be <code>${expected}</code></li>`

const mark = (good: boolean): Html =>
  html`<span class="mark ${good ? "good" : "bad"}" role="img" aria-label="${good ? "met" : "not met"}">${good ? "✓" : "✗"}</span>`
