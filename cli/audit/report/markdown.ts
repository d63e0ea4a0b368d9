import type { Report } from "../../../analysis/evidence/report.ts"
import { inertMarkdown } from "../../inert.ts"

/** A page of a longer table is not read. The JSON has all rows. */
const MAX_ROWS = 500

/** `plain`: our own text, such as a time, in which nothing needs an escape. */
type Cell = string | number | null | { readonly plain: string }

/**
 * A report for people. Every text of the record is escaped: names of branches and people are chosen by others, and must neither
 * add a row nor a link.
 */
export function markdownOf(report: Report): readonly string[] {
  const { period, as_of, totals, leases, record, unused_grants: unused } = report
  const span = period.first === null ? "no record" : `records from ${day(period.first)} to ${day(period.last)}`
  return [
    "# Audit report",
    "",
    `Period: ${period.since === null ? "the beginning" : day(period.since)} to ${period.until === null ? "the end of the record" : day(period.until)}; ${span}. State as of ${day(as_of)}.`,
    "",
    ...table(
      "Totals",
      ["exchanges", "", ""],
      [
        ["with credentials", totals.minted, ""],
        ["failed, without credentials", totals.failed, ""],
        [
          "denied",
          totals.denied,
          totals.denials_without_record > 0
            ? `and ${totals.denials_without_record} denials without a record of their own`
            : "",
        ],
      ],
    ),
    ...table(
      "Accesses",
      ["unit", "id", "environment", "grant", "connection", "resource", "exchanges", "first", "last"],
      report.accesses.map((row) => [
        row.unit,
        row.unit_id,
        row.environment,
        row.grant,
        row.connection,
        row.resource,
        row.exchanges,
        time(row.first),
        time(row.last),
      ]),
    ),
    ...table(
      "People and robots who started these jobs",
      ["actor", "id", "units", "exchanges", "first", "last"],
      report.actors.map((row) => [row.actor, row.actor_id, row.units, row.exchanges, time(row.first), time(row.last)]),
    ),
    ...table(
      "Break-glass uses",
      ["time", "unit", "environment", "grant", "started by", "approved by", "reason", "run", "lease"],
      report.break_glass.map((row) => [
        ...[time(row.at), row.unit, row.environment, row.grant, row.actor],
        row.approvals.map(({ approver, approver_id }) => `${approver} (${approver_id})`).join(", "),
        row.approvals.map(({ reason }) => reason).join("; "),
        ...[row.run_id, row.lease],
      ]),
    ),
    ...table(
      "Acts of operators, and of the broker itself",
      ["time", "event", "by", "id", "unit", "what", "address"],
      report.operators.map(incidentRow),
    ),
    ...table(
      "Policies in force",
      ["version", "first decision", "last decision", "decisions"],
      report.policy_versions.map((row) => [row.version, time(row.first), time(row.last), row.decisions]),
    ),
    ...table(
      "Denials",
      ["unit", "environment", "code", "asked for", "exchanges", "first", "last"],
      report.denials.map((row) => [
        row.unit,
        row.environment,
        row.code,
        row.grants,
        row.exchanges,
        time(row.first),
        time(row.last),
      ]),
    ),
    ...table(
      "Tokens sent twice or without their key, foreign leases, limits",
      ["time", "event", "by", "id", "unit", "what", "address"],
      report.suspicions.map(incidentRow),
    ),
    ...table(
      "Leases",
      ["leases", ""],
      [
        ["opened", leases.opened],
        ...leases.ended.map((row) => [`ended: ${row.reason}`, row.leases] as const),
        ["open, within their time", leases.alive],
        ["overdue: over, and without an end", leases.overdue.length],
      ],
    ),
    ...table(
      "Overdue leases",
      ["lease", "unit", "run", "grants", "opened", "its time was over"],
      leases.overdue.map((row) => [
        row.lease,
        row.unit,
        row.run_id,
        row.grants.join(", "),
        time(row.opened),
        time(row.ends),
      ]),
    ),
    ...table(
      "Stored secrets, by version",
      ["connection", "secret", "versions", "the last one is seen since", "seen last"],
      report.secrets.map(({ connection, secret, versions }) => [
        ...[
          connection,
          secret,
          versions.length,
          time(versions.at(-1)?.first ?? null),
          time(versions.at(-1)?.last ?? null),
        ],
      ]),
    ),
    ...(unused === null
      ? []
      : table(
          "Grants that nobody used",
          ["policy", "grant", "connection"],
          unused.map(({ file, line, grant, connection }) => [`${file}:${line}`, grant, connection]),
        )),
    ...table(
      "The record",
      ["issuer", "unit", "id", "records in the period", "last record", "head"],
      record.ledgers.map(({ issuer, unit, unit_id, records, head }) => [
        issuer,
        unit,
        unit_id,
        records,
        head?.seq ?? null,
        head?.chain ?? null,
      ]),
    ),
    "The heads are those of the whole export. With daypass audit verify they can be compared with a signed checkpoint.",
    `Digest of all heads: ${record.digest ?? ""}`,
  ]
}

type Row = Report["operators"][number]

const incidentRow = ({ at, event, actor, actor_id, unit, unit_id, reason, client_address }: Row): readonly Cell[] => [
  ...[time(at), event, actor, actor_id, unit ?? unit_id, reason, client_address],
]

function table(title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): readonly string[] {
  const shown = rows.slice(0, MAX_ROWS).map((row) => `| ${row.map(cell).join(" | ")} |`)
  return [
    `## ${title}`,
    "",
    ...(rows.length === 0 ? ["None."] : [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...shown]),
    ...(rows.length > MAX_ROWS ? ["", `And ${rows.length - MAX_ROWS} more: the JSON has them.`] : []),
    "",
  ]
}

function cell(value: Cell): string {
  if (typeof value === "number") return String(value)
  return typeof value === "object" && value !== null ? value.plain : inertMarkdown(value ?? "")
}

const time = (at: string | null): Cell => ({ plain: day(at) })

/** The reader of the record has checked the form of its times. */
const day = (at: string | null): string => (at === null ? "" : `${at.slice(0, 10)} ${at.slice(11, 19)}`)
