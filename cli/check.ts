import type { GrantContainment } from "../analysis/warnings/containment.ts"
import type { Warning } from "../analysis/warnings/warning.ts"
import { type WarningReport, warningsOf } from "../analysis/warnings/warnings.ts"
import { PROVIDERS } from "../broker/providers/index.ts"
import { impossible } from "./arguments.ts"
import { counted, type Finding, fails, formatOf, printJson, printReport } from "./format.ts"
import { type Arguments, type CliIo, EXIT } from "./io.ts"
import { findingsOf, type LoadedFolder, loadPolicies } from "./policies.ts"
import { findSecretLiterals } from "./secret-literals.ts"

/** `daypass check`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const format = formatOf(given.options)
  const [folder = ""] = given.positionals
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)

  const { result, inputs, parse } = loaded
  const report = result.ok
    ? warningsOf({ set: result.value, files: inputs, providers: PROVIDERS, parse })
    : NOTHING_KNOWN
  const secrets = await findSecretLiterals(inputs)
  const findings = [...findingsOf(loaded), ...secrets, ...report.warnings.map(withPage)]
  const ok = !fails(findings, given.options["strict"] === true)
  if (format === "json") {
    const set = result.ok ? result.value : null
    const { policyCount: policies = null, version = null } = set ?? {}
    const { containment: grants, acknowledged } = report
    printJson({ ok, files: loaded.files, policies, version, findings, acknowledged, grants }, io)
  } else {
    await printReport({ tool: "check", folder, findings, summary: summaryOf(loaded, findings, report) }, format, io)
  }
  return ok ? EXIT.ok : EXIT.no
}

/** For a folder that does not load: only its errors are reported. */
const NOTHING_KNOWN: WarningReport = { warnings: [], acknowledged: [], containment: [] }

const PAGES = "https://github.com/daypass/daypass/blob/main/docs/warnings"

const withPage = (warning: Warning): Finding => ({ ...warning, page: `${PAGES}/${warning.code}.md` })

function summaryOf(
  { files, result }: LoadedFolder,
  findings: readonly Finding[],
  { acknowledged, containment }: WarningReport,
): string {
  const count = (severity: Finding["severity"]) => findings.filter((finding) => finding.severity === severity).length
  if (!result.ok) return `${counted(count("error"), "error")}: the broker would not load this folder.`
  const { policyCount, version, organisation } = result.value
  const [warnings, notices] = [count("warning"), count("notice")]
  const [errors] = [count("error")]
  const what = [
    ...(errors === 0 ? [] : [counted(errors, "error")]),
    warnings === 0 ? (errors === 0 ? "no faults" : "no warnings") : counted(warnings, "warning"),
    ...(notices === 0 ? [] : [counted(notices, "notice")]),
    ...(acknowledged.length === 0 ? [] : [`${acknowledged.length} acknowledged`]),
  ]
  const ceiling = organisation.boundaries.length === 0 ? "" : ` ${ceilingLine(containment)}`
  return `${counted(policyCount, "policy", "policies")} in ${counted(files, "file")}, ${what.join(", ")}.${ceiling} Version ${version}`
}

/** Counts the grants by how they relate to the ceiling: `3 grants: 2 proved inside the ceiling, 1 outside for some jobs.` */
function ceilingLine(containment: readonly GrantContainment[]): string {
  const parts = (["proved", "outside", "unproven", "no boundary"] as const).flatMap((inside) => {
    const count = containment.filter((one) => one.inside === inside).length
    return count === 0 ? [] : [`${count} ${STANDS[inside]}`]
  })
  return `${counted(containment.length, "grant")}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}.`
}

const STANDS: Readonly<Record<GrantContainment["inside"], string>> = {
  proved: "proved inside the ceiling",
  outside: "outside for some jobs",
  unproven: "unproven",
  "no boundary": "not covered by a boundary",
}
