import { relative, resolve, sep } from "node:path"
import { Runs } from "../../analysis/used/runs.ts"
import { type Looseness, type Tightening, tighten } from "../../analysis/used/tighten.ts"
import { unifiedDiff } from "../../analysis/used/unified-diff.ts"
import { exchanges } from "../../analysis/used/words.ts"
import { createPolicyLoader } from "../../broker/core/policy/policy-loader.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { impossible, misused, readArguments, reasonOf } from "../arguments.ts"
import { counted, type Finding, FORMAT_OPTIONS, formatOf, printJson, printReport } from "../format.ts"
import { type CliIo, EXIT } from "../io.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { eachRecord, RECORD_USAGE, SIGN_IN_OPTIONS, unreadable } from "../record/source.ts"
import { WINDOW_OPTIONS, windowOf } from "../record/window.ts"

const USAGE = `Usage: daypass tighten DIR --record FILE|URL [--since TIME] [--until TIME] [--patch FILE]
                       [--format text|json|github] [--json]

Finds rules, grants and connections of a policy folder that no recorded run used, and the tightest rules that would still
have passed what was used. --patch writes the changes to a new file, for git apply. It changes no policy itself.
${RECORD_USAGE}
Exit codes: 0 done, 1 the folder has errors, 2 the arguments are wrong, or something cannot be read or written.`

/** `daypass tighten`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = {
    ...FORMAT_OPTIONS,
    ...SIGN_IN_OPTIONS,
    ...WINDOW_OPTIONS,
    record: { type: "string" },
    patch: { type: "string" },
  } as const
  const read = readArguments(args, USAGE, options, io)
  if (typeof read === "number") return read
  const format = formatOf(read.options, USAGE, io)
  if (typeof format === "number") return format
  const [folder = "", ...others] = read.positionals
  if (folder === "" || others.length > 0) return misused("tighten takes one folder", USAGE, io)
  const { record, patch: target } = read.options
  if (typeof record !== "string" || record === "") return misused("tighten needs --record", USAGE, io)
  const window = windowOf(read.options, io.now())
  if (typeof window === "string") return misused(window, USAGE, io)
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return impossible(loaded, io)
  const { result, inputs } = loaded
  if (!result.ok) {
    const findings = findingsOf(loaded)
    const summary = `${counted(findings.length, "error")}: the broker would not load this folder.`
    if (format === "json") printJson({ ok: false, findings }, io)
    else await printReport({ tool: "tighten", folder, findings, summary }, format, io)
    return EXIT.no
  }

  const runs = new Runs([result.value], ["event", "ref"])
  try {
    await eachRecord({ from: record, options: read.options }, window, io, (one) => runs.add(one))
  } catch (error) {
    return unreadable(error, io)
  }
  if (runs.exchanges === 0) {
    return impossible(
      "the record has no decision in this time, so everything would look unused: choose another time",
      io,
    )
  }
  const { load } = createPolicyLoader(PROVIDERS)
  const found = tighten(result.value, runs, { inputs, load, providers: PROVIDERS })
  const root = relative(io.cwd, resolve(io.cwd, folder)).split(sep).join("/")
  const patch = unifiedDiff(
    found.patches.map((file) => ({ ...file, path: root === "" ? file.path : `${root}/${file.path}` })),
  )
  if (typeof target === "string" && patch !== "") {
    try {
      await io.createFile(target, patch)
    } catch (error) {
      return impossible(
        `the patch cannot be written to ${target} (${reasonOf(error)}): name a file that does not exist`,
        io,
      )
    }
  }
  if (format === "json") printJson(jsonOf(found, runs, patch), io)
  else
    await printReport(
      { tool: "tighten", folder, findings: found.found.map(findingOf), summary: summaryOf(found, runs) },
      format,
      io,
    )
  return EXIT.ok
}

function findingOf({ kind, file, line, name, says, patched }: Looseness): Finding {
  const what = kind === "condition" ? "rule" : kind
  const stays = patched ? "" : " The patch leaves it: without it the folder would mean something else, or not load."
  const message = `The ${what} ${JSON.stringify(name)} ${says}.${stays}`
  return {
    severity: "notice",
    code: kind === "condition" ? "wider_than_used" : `unused_${kind}`,
    file,
    line,
    column: 1,
    message,
  }
}

function summaryOf({ found, patches, usage }: Tightening, { first, last, exchanges: all }: Runs): string {
  const day = (at: string | null) => at?.slice(0, 10) ?? ""
  const span = `${exchanges(all)} from ${day(first)} to ${day(last)}`
  const past =
    usage.refused === 0 ? "" : ` ${exchanges(usage.refused)} got something by policies that are not in this folder.`
  if (found.length === 0) return `All of this folder was used: ${span}.${past}`
  const files = `${counted(patches.length, "file")} can be tightened`
  return `${counted(found.length, "finding")} by ${span}; ${files}.${past} What is newer than the record may only not have been used yet.`
}

function jsonOf({ found, usage }: Tightening, runs: Runs, patch: string): object {
  return {
    ok: true,
    from: runs.first,
    to: runs.last,
    exchanges: runs.exchanges,
    refused: usage.refused,
    findings: found.map(({ narrowing, ...one }) => ({
      ...one,
      ...(narrowing && { claim: narrowing.claim, was: narrowing.was, is: narrowing.is }),
    })),
    patch,
  }
}
