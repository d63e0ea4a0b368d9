import { impossible, misused, readArguments } from "./arguments.ts"
import { FORMAT_OPTIONS, fails, formatOf, printJson, printReport } from "./format.ts"
import { type CliIo, EXIT } from "./io.ts"
import { loadPolicies } from "./policies.ts"
import { checkFolder } from "./reports/check.ts"

const USAGE = `Usage: daypass check DIR [--strict] [--format text|json|github] [--json]

Checks every file of a policy folder as the broker does when it loads the folder. Reports everything at once: errors, which
keep the broker from loading the folder; text that looks like a secret; and warnings. With --strict, warnings fail the
check too.
--format github annotates the lines of a pull request; --json is --format json.
Exit codes: 0 no errors, 1 errors, or warnings with --strict, 2 the folder cannot be read.`

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

  const { findings, acknowledged, containment: grants, summary } = await checkFolder(loaded)
  const ok = !fails(findings, read.options["strict"] === true)
  if (format === "json") {
    const set = loaded.result.ok ? loaded.result.value : null
    const { policyCount: policies = null, version = null } = set ?? {}
    printJson({ ok, files: loaded.files, policies, version, findings, acknowledged, grants }, io)
  } else {
    await printReport({ tool: "check", folder, findings, summary }, format, io)
  }
  return ok ? EXIT.ok : EXIT.no
}
