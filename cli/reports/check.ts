import type { GrantContainment } from "../../analysis/warnings/containment.ts"
import type { Warning } from "../../analysis/warnings/warning.ts"
import { type WarningReport, warningsOf } from "../../analysis/warnings/warnings.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { type FileInFolder, summaryOfFile } from "../check/one-file.ts"
import { counted, type Finding } from "../format.ts"
import { findingsOf, type LoadedFolder } from "../policies.ts"
import { findSecretLiterals } from "../secrets/in-policies.ts"

/** What `check` finds in a folder. */
export interface CheckReport extends Pick<WarningReport, "acknowledged" | "containment"> {
  readonly findings: readonly Finding[]
  /** In one line. */
  readonly summary: string
}

/** Every error of a folder, text in it that looks like a secret, and its warnings. `one`: what concerns this file of it alone. */
export async function checkFolder(loaded: LoadedFolder, one: FileInFolder | null = null): Promise<CheckReport> {
  const { result, inputs, parse } = loaded
  const report = result.ok
    ? warningsOf({ set: result.value, files: inputs, providers: PROVIDERS, parse })
    : NOTHING_KNOWN
  const isAsked = ({ file }: { readonly file: string }) => one === null || file === one.file
  const secrets = await findSecretLiterals(inputs.filter(({ path: file }) => isAsked({ file })))
  const all = [...findingsOf(loaded), ...secrets, ...report.warnings.map(withPage)]
  const findings = all.filter(isAsked)
  const [acknowledged, containment] = [report.acknowledged.filter(isAsked), report.containment.filter(isAsked)]
  const summary = one === null ? summaryOf(loaded, findings, report) : summaryOfFile(one, findings, all)
  return { findings, acknowledged, containment, summary }
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
