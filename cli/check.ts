import { impossible, misused, readArguments } from "./arguments.ts"
import { counted, type Finding, FORMAT_OPTIONS, fails, formatOf, printJson, printReport } from "./format.ts"
import { type CliIo, EXIT } from "./io.ts"
import { findingsOf, type LoadedFolder, loadPolicies } from "./policies.ts"

const USAGE = `Usage: daypass check DIR [--strict] [--format text|json|github] [--json]

Checks every file of a policy folder as the broker does when it loads it, and reports everything together: errors, with
which the broker would not load the folder, and warnings. --strict takes warnings for errors. --format github annotates
the lines of a pull request; --json is --format json.
Exit codes: 0 clean, or warnings only, 1 errors, 2 the folder cannot be read.`

/** `daypass check`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, { ...FORMAT_OPTIONS, strict: { type: "boolean" } }, io)
  if (typeof read === "number") return read
  const format = formatOf(read.options, USAGE, io)
  if (typeof format === "number") return format
  const [folder, ...others] = read.positionals
  if (folder === undefined || folder === "" || others.length > 0) return misused("check takes one folder", USAGE, io)
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)

  const findings = findingsOf(loaded)
  const ok = !fails(findings, read.options["strict"] === true)
  if (format === "json") {
    const set = loaded.result.ok ? loaded.result.value : null
    const { files } = loaded
    printJson({ ok, files, policies: set?.policyCount ?? null, version: set?.version ?? null, findings }, io)
  } else {
    await printReport({ tool: "check", folder, findings, summary: summaryOf(loaded, findings) }, format, io)
  }
  return ok ? EXIT.ok : EXIT.no
}

function summaryOf({ files, result }: LoadedFolder, findings: readonly Finding[]): string {
  const count = (severity: Finding["severity"]) => findings.filter((finding) => finding.severity === severity).length
  if (!result.ok) return `${counted(count("error"), "error")}: the broker would not load this folder.`
  const { policyCount, version } = result.value
  const warnings = count("warning")
  const what = warnings === 0 ? "no faults" : counted(warnings, "warning")
  return `${counted(policyCount, "policy", "policies")} in ${counted(files, "file")}, ${what}. Version ${version}`
}
