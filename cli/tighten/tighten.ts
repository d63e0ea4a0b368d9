import { relative, resolve, sep } from "node:path"
import { Runs } from "../../analysis/used/runs.ts"
import { type Looseness, type Tightening, tighten } from "../../analysis/used/tighten.ts"
import { unifiedDiff } from "../../analysis/used/unified-diff.ts"
import { exchanges } from "../../analysis/used/words.ts"
import { createPolicyLoader } from "../../broker/core/policy/policy-loader.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { impossible, misused, reasonOf } from "../arguments.ts"
import { counted, type Finding, formatOf, printJson, printReport } from "../format.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { eachRecord, unreadable } from "../record/source.ts"
import { windowOf } from "../record/window.ts"

/** `daypass tighten`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const format = formatOf(given.options)
  const [folder = ""] = given.positionals
  const { record, patch: target } = given.options
  if (typeof record !== "string" || record === "") return misused("tighten needs --record")
  const window = windowOf(given.options, io.now())
  if (typeof window === "string") return misused(window)
  const loaded = loadPolicies(folder, io)
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
    await eachRecord({ from: record, options: given.options }, window, io, (one) => runs.add(one))
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
