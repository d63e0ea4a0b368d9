import {
  type IssuerWords,
  issuerWordsOf,
  subjectWords,
  unitWordOf,
  unitWords,
} from "../../analysis/scopes/subject-words.ts"
import type { WhoCan, WhoCanRow, WrittenBoundary, WrittenCondition } from "../../analysis/who-can/model.ts"
import { formatDuration } from "../../broker/core/duration.ts"
import { UNITS } from "../../broker/core/families/units.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { counted, type Finding } from "../format.ts"
import { inert } from "../inert.ts"

/** Rows as a table with what each depends on below it, for people. */
export function linesOf({ rows, unreachable, unknown }: WhoCan, { organisation }: PolicySet, all: boolean): string[] {
  const issuerWords = issuerWordsOf(organisation)
  const { one } = unitWordOf(organisation)
  const table = aligned([
    [one.toUpperCase(), ...HEAD],
    ...rows.map((row) => cellsOf(row, issuerWords, one !== kindOf(row))),
  ])
  const [head = "", ...lines] = table
  return [
    ...(rows.length === 0 ? [] : [head]),
    ...rows.flatMap((row, index) => [lines[index] ?? "", ...detailsOf(row).map(detailLine), ""]),
    ...unknown.flatMap(({ subject, grant, reason }) => [
      `${subjectWords(subject, issuerWords)} may get ${grant ?? "it"}: unknown, because ${reason}`,
      "",
    ]),
    ...(all
      ? unreachable.map(({ subject, grant, place, why }) => {
          const rule = `"${place.name}" (${place.file}:${place.line})`
          return `no effect: ${rule} gives ${grant} to no job of ${subjectWords(subject, issuerWords)}: ${WHY[why]}`
        })
      : []),
    ...(all && unreachable.length > 0 ? [""] : []),
    summaryOf({ rows, unreachable, unknown }, all),
  ]
}

/** The same as annotations: each row at the rule that gives it. */
export function findingsOfWhoCan(
  { rows, unreachable, unknown }: WhoCan,
  { organisation }: PolicySet,
  all: boolean,
): Finding[] {
  const issuerWords = issuerWordsOf(organisation)
  const notice = (code: string, { file, line }: WhoCanRow["place"] | typeof NOWHERE, message: string): Finding => ({
    severity: "notice",
    code,
    file,
    line,
    column: 1,
    message,
  })
  return [
    ...rows.map((row) =>
      notice("can_get", row.place, sentenceOf(row, issuerWords, unitWordOf(organisation).one !== kindOf(row))),
    ),
    ...unknown.map(({ subject, grant, reason }) => {
      const message = `${subjectWords(subject, issuerWords)} may get ${grant ?? "it"}: unknown, because ${reason}.`
      return notice("cannot_tell", NOWHERE, message)
    }),
    ...(all
      ? unreachable.map(({ subject, grant, place, why }) => {
          const message = `"${place.name}" gives ${grant} to no job of ${subjectWords(subject, issuerWords)}: ${WHY[why]}.`
          return notice("nobody_gets", place, message)
        })
      : []),
  ]
}

/** The place of findings that belong to no line. */
const NOWHERE = { file: ORGANISATION_FILE, line: 1 } as const

function sentenceOf(row: WhoCanRow, issuerWords: IssuerWords, withKind: boolean): string {
  const [unit = "", environment = "", grant = "", ttl = "", reaches = ""] = cellsOf(row, issuerWords, withKind)
  const details = detailsOf(row).flatMap(([label, text]) => (label === "where" ? [] : [`${label} ${text}`.trim()]))
  return `${[`${unit}, environment ${environment}: ${grant} for ${ttl}, ${reaches}`, ...details].join("; ")}.`
}

const WHY = {
  denied: "other rules refuse every job that it allows",
  ceiling: "the boundaries refuse every job that it allows",
} as const

/** The number of ways to get it, and of rules that were left out. */
export function summaryOf({ rows, unreachable, unknown }: WhoCan, all: boolean): string {
  const answers = counted(unknown.length, "answer is unknown", "answers are unknown")
  const untold = unknown.length === 0 ? "" : ` ${answers}.`
  const said =
    rows.length > 0
      ? `${counted(rows.length, "way")} to get it.${untold}`
      : unknown.length === 0
        ? "No job can get it."
        : `No way to get it was found, but ${answers}.`
  if (unreachable.length === 0) return said
  const [denied, ceiling] = [
    unreachable.filter(({ why }) => why === "denied"),
    unreachable.filter(({ why }) => why === "ceiling"),
  ]
  const why = [
    ...(denied.length > 0 ? [`${denied.length} always denied`] : []),
    ...(ceiling.length > 0 ? [`${ceiling.length} outside the boundaries`] : []),
  ]
  const left = all ? "Without effect" : "Left out (--all shows them)"
  return `${said} ${left}: ${counted(unreachable.length, "allow rule")}: ${why.join(", ")}.`
}

/** What stands after the kind of unit. */
const HEAD: readonly string[] = ["ENVIRONMENT", "GRANT", "FOR", "REACHES"]

const kindOf = ({ subject }: WhoCanRow): string => UNITS[subject.unitKind].one

/** `withKind`: where units of several kinds stand in one table. */
function cellsOf(row: WhoCanRow, issuerWords: IssuerWords, withKind: boolean): readonly string[] {
  const { subject, grant, resource, connection, ttlSeconds } = row
  const { environment } = subject
  return [
    `${withKind ? `${kindOf(row)} ` : ""}${unitsOf(row, issuerWords)}`,
    environment === undefined ? "any or none" : (environment ?? "none"),
    grant ?? "(a policy of its own)",
    ttlSeconds === null ? "?" : formatDuration(ttlSeconds),
    `${resource} through ${connection}`,
  ]
}

function unitsOf({ subject, only }: WhoCanRow, issuerWords: IssuerWords): string {
  const { issuer, unit, unitId } = subject
  if (only === null) {
    if (unit === null) return `any of ${issuerWords(issuer) ?? issuer}`
    return unitWords({ issuer, unit, unitId }, issuerWords)
  }
  const facts = [unit === null ? null : `of ${unit}`, issuerWords(issuer)].filter((fact) => fact !== null)
  return facts.length === 0 ? only : `${only} (${facts.join(", ")})`
}

function detailsOf({
  ttlSeconds,
  conditions,
  unless,
  within,
  protectedEnvironment,
  breakGlass,
  place,
  proven,
  grant,
  sub,
  only,
  subject,
}: WhoCanRow): Detail[] {
  const { one, many } = UNITS[subject.unitKind]
  const own = grant === null
  return [
    ...(own
      ? [
          detail(
            "",
            only === null
              ? `any policy that a ${one} keeps for itself could give this`
              : `a policy that one of these ${many} keeps for itself could give this`,
          ),
        ]
      : []),
    ...(conditions.length === 0 ? [] : [detail("if", conditionsOf(conditions))]),
    ...unless.map(({ name, file, line, conditions: when }) =>
      detail("unless", `${when.length === 0 ? "always" : conditionsOf(when)} ("${name}", ${file}:${line})`),
    ),
    ...within
      .filter((boundary) => boundary.allows || demandsAnything(boundary, ttlSeconds))
      .map((boundary) => detail("within", boundaryWords(boundary, ttlSeconds))),
    ...protectedEnvironment.map((demand) => detail("needs", `${demand} on the environment`)),
    ...(breakGlass === null ? [] : [detail("needs", breakGlass)]),
    ...(proven
      ? []
      : [detail("", "perhaps only: several claims fill one text, so it is unknown which jobs fill it with this one")]),
    ...(sub === null ? [] : [detail("sub", sub)]),
    detail("where", `${place.file}:${place.line} "${place.name}"`),
  ]
}

/** A detail of a row with its label; the label is empty if the text needs none. */
type Detail = readonly [label: string, text: string]

const detail = (label: string, text: string): Detail => [label, text]

const detailLine = ([label, text]: Detail) => `    ${label === "" ? "" : label.padEnd(8)}${text}`

const conditionsOf = (conditions: readonly WrittenCondition[]): string =>
  conditions.map(({ claim, expected }) => `${claim}: ${expected}`).join("; ")

/** Leaves out a limit that is longer than the grant's own lifetime: it has no effect. */
function boundaryWords(boundary: WrittenBoundary, ttlSeconds: number | null): string {
  const { name, file, line, allows, require, protectedEnvironment, maxTtlSeconds, demandsOf } = boundary
  const limits = maxTtlSeconds !== null && (ttlSeconds === null || maxTtlSeconds <= ttlSeconds)
  const demands = [
    ...(require.length > 0 ? [`requires ${conditionsOf(require)}`] : []),
    ...(protectedEnvironment === null ? [] : [`needs ${protectedEnvironment} on the environment`]),
    ...(limits ? [`for ${formatDuration(maxTtlSeconds)} at most`] : []),
  ]
  const whose = demands.length > 0 && demandsOf.length > 0 ? `of jobs with ${conditionsOf(demandsOf)}: ` : ""
  const said = [...(allows ? ["allows it"] : []), ...(demands.length > 0 ? [`${whose}${demands.join(", ")}`] : [])]
  return `"${name}" (${file}:${line}) ${said.join("; ")}`
}

function demandsAnything({ require, protectedEnvironment, maxTtlSeconds }: WrittenBoundary, ttlSeconds: number | null) {
  return (
    require.length > 0 ||
    protectedEnvironment !== null ||
    (maxTtlSeconds !== null && maxTtlSeconds <= (ttlSeconds ?? Infinity))
  )
}

/** Pads every column but the last, so that they line up. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = ["", ...HEAD].map((_, column) => Math.max(...rows.map((row) => inert(row[column] ?? "").length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? inert(cell) : inert(cell).padEnd(widths[column] ?? 0)))
      .join("  "),
  )
}
