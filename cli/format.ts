import { isAbsolute, join, relative, resolve, sep } from "node:path"
import { impossible, misused, reasonOf } from "./arguments.ts"
import { inert, inertJson, inertMarkdown, workflowCommand } from "./inert.ts"
import type { CliIo } from "./io.ts"

export type Severity = "error" | "warning" | "notice"

/** Something to say about one place of a policy folder. */
export interface Finding {
  readonly severity: Severity
  /** Stable: scripts branch on it. */
  readonly code: string
  /** Relative to the policy folder, with forward slashes. */
  readonly file: string
  /** 1-based, like `column`. */
  readonly line: number
  readonly column: number
  /** What is wrong, and what to change. */
  readonly message: string
  /** Where a page tells more. */
  readonly page?: string
}

/** `github`: annotations of a pull request's lines, as workflow commands. */
export type Format = "text" | "json" | "github"

/** The options by which every policy tool lets its output be chosen; spread them into the command's own. */
export const FORMAT_OPTIONS = { format: { type: "string" }, json: { type: "boolean" } } as const

const FORMATS: readonly string[] = ["text", "json", "github"] satisfies readonly Format[]

/** The format asked for. A number is the exit code to end with, after it was said why none can be told. */
export function formatOf(
  options: Readonly<Record<string, string | boolean | undefined>>,
  usage: string,
  io: CliIo,
): Format | number {
  const { format, json } = options
  if (format !== undefined && !(typeof format === "string" && FORMATS.includes(format))) {
    return misused(`--format is one of ${FORMATS.join(", ")}`, usage, io)
  }
  if (json === true && format !== undefined && format !== "json") {
    return misused(`--json is --format json, and --format ${format} was asked for too`, usage, io)
  }
  return json === true ? "json" : ((format as Format | undefined) ?? "text")
}

/** What a policy tool found, and the one line that sums it up. */
export interface Report {
  /** The command's name, as its annotations are titled: `check`. */
  readonly tool: string
  /** The policy folder, as the command was told. */
  readonly folder: string
  readonly findings: readonly Finding[]
  readonly summary: string
}

/**
 * Prints a report for people, or for GitHub; `json` is each command's own object, which `printJson` prints.
 *
 * For GitHub the findings become annotations, errors first, and `$GITHUB_STEP_SUMMARY` gets a table.
 */
export async function printReport(report: Report, format: Exclude<Format, "json">, io: CliIo): Promise<void> {
  const findings = [...report.findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
  if (format === "text") for (const finding of report.findings) io.out(findingLine(report.folder, finding))
  else for (const line of annotations({ ...report, findings }, io)) io.out(line)
  io.out(inert(report.summary))
  if (format === "github") await appendSummary(summaryOf({ ...report, findings }, io), io)
}

/** Prints a command's own object. */
export function printJson(value: unknown, io: CliIo): void {
  io.out(inertJson(value))
}

/** A finding as compilers write theirs, so that editors and terminals link to the place. */
export function findingLine(folder: string, finding: Finding): string {
  const { severity, code, file, line, column, message, page } = finding
  const more = page === undefined ? "" : ` See ${page}`
  return inert(`${join(folder, file)}:${line}:${column}: ${severity}: ${message} [${code}]${more}`)
}

/** Whether a run with these findings fails: an error always does, a warning when it is asked to. */
export function fails(findings: readonly Finding[], strict: boolean): boolean {
  return findings.some(({ severity }) => severity === "error" || (strict && severity === "warning"))
}

/** `1 error`, `2 policies`. */
export const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`

/** Appends Markdown to the step's summary, where there is one. That it cannot be written changes nothing else. */
export async function appendSummary(markdown: string, io: CliIo): Promise<void> {
  const file = io.env["GITHUB_STEP_SUMMARY"]
  if (file === undefined || file === "") return
  try {
    await io.appendFile(file, `${markdown}\n`)
  } catch (error) {
    impossible(`the step's summary cannot be written (${reasonOf(error)})`, io)
  }
}

/** The order in which findings matter. */
const SEVERITIES: readonly Severity[] = ["error", "warning", "notice"]

/** GitHub shows so many annotations of each severity a step, and drops the others without a word. */
const MAX_ANNOTATIONS = 10

/** The first of each severity as annotations; the others as lines of the log, which names their place otherwise nowhere. */
function annotations({ tool, folder, findings }: Omit<Report, "summary">, io: CliIo): string[] {
  const shown = new Map<Severity, number>()
  const lines = findings.map((finding) => {
    const { severity, code, line, column, message, page } = finding
    const count = (shown.get(severity) ?? 0) + 1
    shown.set(severity, count)
    if (count > MAX_ANNOTATIONS) return findingLine(folder, finding)
    const properties = { file: repositoryPath(folder, finding.file, io), line, col: column, title: `${tool}: ${code}` }
    return workflowCommand(severity, properties, page === undefined ? message : `${message} See ${page}`)
  })
  const more = [...shown.values()].some((count) => count > MAX_ANNOTATIONS)
  const remark = `GitHub shows ${MAX_ANNOTATIONS} annotations of each severity a step; the others stand above.`
  return more ? [...lines, remark] : lines
}

/**
 * The path of a file of the policy folder as GitHub wants it: from the repository's root, with forward slashes. The
 * root is the current directory, unless the folder is below `$GITHUB_WORKSPACE`, wherever the step works.
 */
export function repositoryPath(folder: string, file: string, io: Pick<CliIo, "cwd" | "env">): string {
  const workspace = io.env["GITHUB_WORKSPACE"] ?? ""
  const path = resolve(io.cwd, folder, file)
  const root = isAbsolute(workspace) && isInside(workspace, path) ? workspace : io.cwd
  return relative(root, path).split(sep).join("/")
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** A summary has room for 1 MiB, and nobody reads a table of hundreds of rows there. */
const MAX_SUMMARY_ROWS = 50
const MAX_CELL_CHARACTERS = 400

function summaryOf({ tool, folder, findings, summary }: Report, io: CliIo): string {
  const rows = findings.slice(0, MAX_SUMMARY_ROWS).map(({ severity, code, file, line, message }) => {
    const where = `${repositoryPath(folder, file, io)}:${line}`
    return `| ${[severity, where, message, code].map(cell).join(" | ")} |`
  })
  const more = findings.length - rows.length
  return [
    `### daypass ${tool}`,
    "",
    cell(summary),
    ...(rows.length === 0 ? [] : ["", "| | where | what | code |", "|---|---|---|---|", ...rows]),
    ...(more > 0 ? ["", `And ${more} more: the step's log has them all.`] : []),
    "",
  ].join("\n")
}

const cell = (text: string) =>
  inertMarkdown(text.length > MAX_CELL_CHARACTERS ? `${text.slice(0, MAX_CELL_CHARACTERS - 1)}…` : text)
