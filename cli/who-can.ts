import { subjectWords } from "../broker/core/analysis/diff-words.ts"
import { whoCan } from "../broker/core/analysis/who-can.ts"
import type {
  FieldWish,
  WhoCan,
  WhoCanQuery,
  WhoCanRow,
  WrittenBoundary,
  WrittenCondition,
} from "../broker/core/analysis/who-can-model.ts"
import { formatDuration } from "../broker/core/duration.ts"
import { didYouMean, quote } from "../broker/core/policy/faults.ts"
import type { PolicySet } from "../broker/core/policy/model.ts"
import { compilePattern, type Pattern } from "../broker/core/policy/pattern.ts"
import { knownKeys } from "../broker/core/policy/schema-faults.ts"
import { PROVIDERS } from "../broker/providers/index.ts"
import { impossible, misused, readArguments } from "./arguments.ts"
import { counted, FORMAT_OPTIONS, formatOf, printJson, printReport } from "./format.ts"
import { inert } from "./inert.ts"
import { type CliIo, EXIT } from "./io.ts"
import { findingsOf, loadPolicies } from "./policies.ts"

const USAGE = `Usage: daypass who-can DIR [--connection NAME] [--grant NAME] [--grant-field KEY=VALUE ...]
                       [--repository OWNER/REPO] [--environment NAME] [--all] [--format text|json] [--json]

Says everybody who can get a grant, by the policies of a folder and below its boundaries: which repositories and
environments, under which conditions. VALUE and OWNER/REPO may be patterns. --all shows the rules, too, by which nobody
gets anything.
Exit codes: 0 somebody can, 1 nobody can, or the folder has faults, 2 it cannot be done.`

const OPTIONS = {
  ...FORMAT_OPTIONS,
  connection: { type: "string" },
  grant: { type: "string" },
  "grant-field": { type: "string", multiple: true },
  repository: { type: "string" },
  environment: { type: "string" },
  all: { type: "boolean" },
} as const

/** `daypass who-can`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const format = formatOf(read.options, USAGE, io)
  if (typeof format === "number") return format
  if (format === "github") return misused("--format is one of text, json: there is no line to annotate", USAGE, io)
  const [folder = "", ...others] = read.positionals
  if (folder === "" || others.length > 0) return misused("who-can takes one folder", USAGE, io)
  const query = queryOf(read.options)
  if (typeof query === "string") return misused(query, USAGE, io)
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)
  if (!loaded.result.ok) {
    const findings = findingsOf(loaded)
    const summary = `${counted(findings.length, "error")}: the broker would not load this folder.`
    if (format === "json") printJson({ ok: false, findings }, io)
    else await printReport({ tool: "who-can", folder, findings, summary }, format, io)
    return EXIT.no
  }
  const set = loaded.result.value
  const unknown = misspelled(query, set)
  if (unknown !== null) return impossible(unknown, io)

  const found = whoCan(set, query, { providers: PROVIDERS })
  const all = read.options["all"] === true
  if (format === "json") printJson(jsonOf(found, set), io)
  else for (const line of linesOf(found, all)) io.out(inert(line))
  return found.rows.length + found.unknown.length > 0 ? EXIT.ok : EXIT.no
}

/** What is asked for; a sentence when it cannot be. */
function queryOf(options: Readonly<Record<string, unknown>>): WhoCanQuery | string {
  const text = (name: string) => (typeof options[name] === "string" ? options[name] : undefined)
  const [connection, grant, environment] = [text("connection"), text("grant"), text("environment")]
  const repository = text("repository")
  const owned = repository === undefined ? undefined : patternOf(repository)
  if (typeof owned === "string") return `--repository: ${owned}`
  if (repository !== undefined && !repository.includes("/"))
    return "--repository is OWNER/REPO, such as acme/shop or acme/*"
  const given = options["grant-field"]
  const fields: FieldWish[] = []
  for (const wish of Array.isArray(given) ? (given as unknown[]).map(String) : []) {
    const at = wish.indexOf("=")
    if (at < 1 || at === wish.length - 1)
      return "--grant-field is KEY=VALUE, such as role=arn:aws:iam::111122223333:role/*"
    const pattern = patternOf(wish.slice(at + 1))
    if (typeof pattern === "string") return `--grant-field ${wish.slice(0, at)}: ${pattern}`
    fields.push({ key: wish.slice(0, at), pattern })
  }
  return {
    ...(connection === undefined ? {} : { connection }),
    ...(grant === undefined ? {} : { grant }),
    ...(environment === undefined ? {} : { environment }),
    ...(owned === undefined ? {} : { repository: owned }),
    fields,
  }
}

function patternOf(text: string): Pattern | string {
  const pattern = compilePattern(text)
  return pattern.ok ? pattern.value : pattern.fault
}

/** Nobody can get what does not exist, and that is no answer to whoever misspelled it. */
function misspelled(
  { connection, grant, fields = [] }: WhoCanQuery,
  { organisation, policies }: PolicySet,
): string | null {
  const connections = [...organisation.connections.keys()]
  const grants = [...new Set(policies.flatMap((policy) => [...policy.grants.keys()]))]
  const say = (what: string, name: string, known: readonly string[]) =>
    `there is no ${what} ${quote(name)}.${didYouMean(name, known) || ` Known: ${known.join(", ") || "none"}.`}`
  if (connection !== undefined && !connections.includes(connection)) return say("connection", connection, connections)
  if (grant !== undefined && !grants.includes(grant)) return say("grant", grant, grants)
  const asked = [...organisation.connections.values()].filter(({ name }) => (connection ?? name) === name)
  const keys = [
    ...new Set(
      asked.flatMap(({ provider }) => {
        const schema = PROVIDERS.get(provider)?.grant
        return schema === undefined ? [] : knownKeys(schema, [])
      }),
    ),
  ]
  const wrong = fields.find(({ key }) => !keys.includes(key.split(".")[0] ?? ""))
  return wrong === undefined ? null : say("grant field", wrong.key, keys)
}

function linesOf({ rows, unreachable, unknown }: WhoCan, all: boolean): string[] {
  const table = aligned([HEAD, ...rows.map(cellsOf)])
  const [head = "", ...lines] = table
  return [
    ...(rows.length === 0 ? [] : [head]),
    ...rows.flatMap((row, index) => [lines[index] ?? "", ...detailsOf(row), ""]),
    ...unknown.flatMap(({ subject, grant, reason }) => [
      `${subjectWords(subject)} may get ${grant ?? "it"}: nobody can tell, because ${reason}`,
      "",
    ]),
    ...(all
      ? unreachable.flatMap(({ subject, grant, place, why }) => [
          `nobody: ${subjectWords(subject)} gets ${grant} by "${place.name}" (${place.file}:${place.line}): ${WHY[why]}`,
        ])
      : []),
    ...(all && unreachable.length > 0 ? [""] : []),
    footer(rows.length, unreachable, all),
  ]
}

const WHY = {
  denied: "other rules refuse everybody whom it allows",
  ceiling: "the boundaries refuse everybody whom it allows",
} as const

function footer(rows: number, unreachable: WhoCan["unreachable"], all: boolean): string {
  const said = rows === 0 ? "Nobody can." : `${counted(rows, "way")} to get it.`
  if (unreachable.length === 0) return said
  const [denied, ceiling] = [
    unreachable.filter(({ why }) => why === "denied"),
    unreachable.filter(({ why }) => why === "ceiling"),
  ]
  const why = [
    ...(denied.length > 0 ? [`${denied.length} always denied`] : []),
    ...(ceiling.length > 0 ? [`${ceiling.length} outside of the boundaries`] : []),
  ]
  const left = all ? "Without effect" : "Left out (--all shows them)"
  return `${said} ${left}: ${counted(unreachable.length, "allow rule")} by which nobody gets it: ${why.join(", ")}.`
}

const HEAD: readonly string[] = ["REPOSITORY", "ENVIRONMENT", "GRANT", "FOR", "REACHES"]

function cellsOf({ subject, only, grant, resource, connection, ttlSeconds }: WhoCanRow): readonly string[] {
  const { repository, repositoryId, environment } = subject
  const whose =
    repository === null
      ? `any of ${subject.issuer}`
      : repositoryId === null
        ? repository
        : `${repository} (id ${repositoryId})`
  const name = only === null ? whose : repository === null ? only : `${only} (of ${whose})`
  return [
    name,
    environment === undefined ? "any or none" : (environment ?? "none"),
    grant ?? "(a policy of its own)",
    ttlSeconds === null ? "?" : formatDuration(ttlSeconds),
    `${resource} through ${connection}`,
  ]
}

function detailsOf({
  ttlSeconds,
  conditions,
  unless,
  within,
  protectedEnvironment,
  place,
  proven,
  grant,
  only,
}: WhoCanRow): string[] {
  const own = grant === null
  return [
    ...(own
      ? [
          only === null
            ? "any policy that a repository keeps for itself could give this"
            : "a policy that such a repository keeps for itself could give this",
        ]
      : []),
    ...(conditions.length === 0 ? [] : [`if      ${conditionsOf(conditions)}`]),
    ...unless.map(
      ({ name, file, line, conditions: when }) =>
        `unless  ${when.length === 0 ? "always" : conditionsOf(when)} ("${name}", ${file}:${line})`,
    ),
    ...within
      .filter((boundary) => boundary.allows || demandsAnything(boundary, ttlSeconds))
      .map((boundary) => `within  ${boundaryWords(boundary, ttlSeconds)}`),
    ...protectedEnvironment.map((demand) => `needs   ${demand} on the environment`),
    ...(proven ? [] : ["perhaps only: several claims fill one text, and nobody can tell which jobs fill it so"]),
    `where   ${place.file}:${place.line} "${place.name}"`,
  ].map((line) => `    ${line}`)
}

const conditionsOf = (conditions: readonly WrittenCondition[]): string =>
  conditions.map(({ claim, expected }) => `${claim}: ${expected}`).join("; ")

/** A limit above what the grant lives anyway goes without saying. */
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

/** Columns under each other; the last is as long as it is. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => inert(row[column] ?? "").length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? inert(cell) : inert(cell).padEnd(widths[column] ?? 0)))
      .join("  "),
  )
}

/** As programs read it; like the wire, in snake_case. */
function jsonOf({ rows, unreachable, unknown }: WhoCan, { version }: PolicySet): object {
  const subjectOf = ({ issuer, repository, repositoryId, environment }: WhoCanRow["subject"]) => ({
    issuer,
    repository,
    repository_id: repositoryId,
    ...(environment === undefined ? {} : { environment }),
  })
  return {
    ok: rows.length + unknown.length > 0,
    version,
    rows: rows.map(({ subject, ttlSeconds, within, protectedEnvironment, ...row }) => ({
      ...subjectOf(subject),
      ...row,
      ttl_seconds: ttlSeconds,
      within: within.map(({ protectedEnvironment: demand, maxTtlSeconds, demandsOf, ...boundary }) => ({
        ...boundary,
        protected_environment: demand,
        max_ttl_seconds: maxTtlSeconds,
        demands_of: demandsOf,
      })),
      protected_environment: protectedEnvironment,
    })),
    unreachable: unreachable.map(({ subject, ...row }) => ({ ...subjectOf(subject), ...row })),
    unknown: unknown.map(({ subject, ...row }) => ({ ...subjectOf(subject), ...row })),
  }
}
