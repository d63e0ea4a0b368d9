import { impossible, misused, readArguments } from "./arguments.ts"
import { type CliIo, EXIT } from "./io.ts"
import { faultLine, loadPolicies } from "./policies.ts"

const USAGE = `Usage: daypass check DIR [--json]

Checks every file of a policy folder as the broker does when it loads it, and reports all faults together.
Exit codes: 0 clean, 1 faults, 2 the folder cannot be read.`

/** `daypass check`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, { json: { type: "boolean" } }, io)
  if (typeof read === "number") return read
  const [folder, ...others] = read.positionals
  if (folder === undefined || folder === "" || others.length > 0) return misused("check takes one folder", USAGE, io)
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)

  const { files, result } = loaded
  const set = result.ok ? result.value : null
  const faults = result.ok ? [] : result.fault
  if (read.options["json"] === true) {
    const policies = set?.policyCount ?? null
    io.out(JSON.stringify({ ok: result.ok, files, policies, version: set?.version ?? null, faults }, null, 2))
  } else if (set) {
    io.out(
      `${counted(set.policyCount, "policy", "policies")} in ${counted(files, "file", "files")}, no faults. Version ${set.version}`,
    )
  } else {
    for (const fault of faults) io.out(faultLine(folder, fault))
    io.out(`${counted(faults.length, "fault", "faults")}: the broker would not load this folder.`)
  }
  return result.ok ? EXIT.ok : EXIT.no
}

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`
