import { impossible } from "../arguments.ts"
import { fails, formatOf, printJson, printReport } from "../format.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { loadPolicies } from "../policies.ts"
import { checkFolder } from "../reports/check.ts"
import { fileInFolder, loadAlone, noPolicyFile } from "./one-file.ts"

/** `daypass check`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const format = formatOf(given.options)
  const [path = ""] = given.positionals
  const one = fileInFolder(path)
  const wrong = one && noPolicyFile(one)
  if (wrong !== null) return impossible(wrong, io)
  const folder = one?.folder ?? path
  const loaded = one?.isAlone ? loadAlone(one) : loadPolicies(folder, io)
  if (typeof loaded === "string") return impossible(loaded, io)

  const { findings, acknowledged, containment: grants, summary } = await checkFolder(loaded, one)
  const ok = !fails(findings, given.options["strict"] === true)
  if (format === "json") {
    const set = loaded.result.ok ? loaded.result.value : null
    const { policyCount: policies = null, version = null } = set ?? {}
    printJson({ ok, files: one ? 1 : loaded.files, policies, version, findings, acknowledged, grants }, io)
  } else {
    await printReport({ tool: "check", folder, findings, summary, ok }, format, io)
  }
  return ok ? EXIT.ok : EXIT.no
}
