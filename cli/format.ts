import { isAbsolute, join, relative, resolve, sep } from "node:path"
import { impossible, misused, reasonOf } from "./arguments.ts"
import { inert, inertJson, inertMarkdown, workflowCommand } from "./inert.ts"
import type { Arguments, CliIo } from "./io.ts"
import { painted, type Style } from "./terminal.ts"

export type Severity = "error" | "warning" | "notice"

/** A message about one place of a policy folder. */
export interface Finding {
  readonly severity: Severity
  /** Stable: scripts depend on it. */
  readonly code: string
  /** Relative to the policy folder, with forward slashes. */
  readonly file: string
  /** 1-based, like `column`. */
  readonly line: number
  readonly column: number
  /** What is wrong, and what to change. */
  readonly message: string
  /** The URL of a page with more about it. */
  readonly page?: string
}

/** `github`: annotations of a pull request's lines, as workflow commands. */
export type Format = "text" | "json" | "github"

/** The format that the options ask for, of those that the command declares. @throws {Misuse} when they ask for two */
export function formatOf<Declared extends string = Format>({
  format,
  json,
}: Arguments["options"]): Declared | "json" | "text" {
  if (json === true && format !== undefined && format !== "json") {
    return misused(`--json means --format json, and does not go with --format ${String(format)}`)
  }
  return json === true ? "json" : ((format as Declared | undefined) ?? "text")
}

/** The findings of a policy command, and a summary of one line. */
export interface Report {
  /** The command's name, used in titles of annotations: `check`. */
  readonly tool: string
  /** The policy folder, as the user wrote it. */
  readonly folder: string
  readonly findings: readonly Finding[]
  readonly summary: string
  /** Whether the answer is good or bad, where it is one of them. */
  readonly ok?: boolean
}

/**
 * Prints a report for people, or for GitHub; `json` is each command's own object, which `printJson` prints.
 *
 * For GitHub the findings become annotations, errors first, and `$GITHUB_STEP_SUMMARY` gets a table.
 */
export async function printReport(report: Report, format: Exclude<Format, "json">, io: CliIo): Promise<void> {
  const findings = worstFirst(report.findings)
  if (format === "text") for (const finding of report.findings) io.out(colouredLine(report.folder, finding, io))
  else for (const line of annotations({ ...report, findings }, io)) io.out(line)
  const summary = inert(report.summary)
  const isPlain = report.ok === undefined || format !== "text"
  io.out(isPlain ? summary : painted(io, "out", report.ok ? "green" : "red", summary))
  if (format === "github") await appendSummary(summaryOf({ ...report, findings }, io), io)
}

/** Prints a command's own object. */
export function printJson(value: unknown, io: CliIo): void {
  io.out(inertJson(value))
}

/** A finding in the form of compiler messages, so that editors and terminals link to the place. */
export function findingLine(folder: string, finding: Finding): string {
  const { severity, code, file, line, column, message, page } = finding
  const more = page === undefined ? "" : ` See ${page}`
  return inert(`${join(folder, file)}:${line}:${column}: ${severity}: ${message} [${code}]${more}`)
}

/** The same for a terminal: the severity in its colour. */
function colouredLine(folder: string, finding: Finding, io: CliIo): string {
  const style = STYLES[finding.severity]
  const line = findingLine(folder, finding)
  return style === null
    ? line
    : line.replace(`: ${finding.severity}: `, () => `: ${painted(io, "out", style, finding.severity)}: `)
}

const STYLES: Readonly<Record<Severity, Style | null>> = { error: "red", warning: "yellow", notice: null }

/** Whether a run with these findings fails: with an error always, with a warning only if `strict`. */
export function fails(findings: readonly Finding[], strict: boolean): boolean {
  return findings.some(({ severity }) => severity === "error" || (strict && severity === "warning"))
}

/** `1 error`, `2 policies`. */
export const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`

/** Appends Markdown to the step's summary, if there is one. A failure is reported and does not change the exit code. */
export async function appendSummary(markdown: string, io: CliIo): Promise<void> {
  const file = io.env["GITHUB_STEP_SUMMARY"]
  if (file === undefined || file === "") return
  try {
    await io.appendFile(file, `${markdown}\n`)
  } catch (error) {
    impossible(`the summary of the step cannot be written (${reasonOf(error)})`, io)
  }
}

/** The severities, the most important first. */
const SEVERITIES: readonly Severity[] = ["error", "warning", "notice"]

/** The findings by severity, and of each severity in the order in which they come. */
export const worstFirst = (findings: readonly Finding[]): readonly Finding[] =>
  [...findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))

/** GitHub shows at most this many annotations of each severity for a step, and drops the others silently. */
const MAX_ANNOTATIONS = 10

/** The first findings of each severity as annotations, in the order in which they come. The others become lines of the log: an annotation would be lost. */
export function annotations(
  { tool, folder, findings }: Omit<Report, "summary">,
  io: Pick<CliIo, "cwd" | "env">,
): string[] {
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
  const remark = `GitHub shows ${MAX_ANNOTATIONS} annotations of each severity for a step. The others are in the lines above.`
  return more ? [...lines, remark] : lines
}

/**
 * The path of a policy file in the form that GitHub needs: from the repository's root, with forward slashes. The root is
 * `$GITHUB_WORKSPACE` if the folder is below it, and otherwise the current directory.
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

/** A summary can have 1 MiB, and a table of hundreds of rows is not readable there. */
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
    ...(more > 0 ? ["", `And ${more} more. The log of the step has all of them.`] : []),
    "",
  ].join("\n")
}

const cell = (text: string) =>
  inertMarkdown(text.length > MAX_CELL_CHARACTERS ? `${text.slice(0, MAX_CELL_CHARACTERS - 1)}…` : text)
