import { ChainVerifier } from "../../../analysis/audit/verify.ts"
import { Evidence, type Report, type UnusedGrant } from "../../../analysis/evidence/report.ts"
import { Runs } from "../../../analysis/used/runs.ts"
import { unusedGrants, usageOf } from "../../../analysis/used/usage.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { impossible, misused, readArguments } from "../../arguments.ts"
import { counted, printJson } from "../../format.ts"
import { inert } from "../../inert.ts"
import { type CliIo, EXIT } from "../../io.ts"
import { loadPolicies } from "../../policies.ts"
import { linesOf, RecordFault } from "../../record/lines.ts"
import { nameOf, piecesOf } from "../../record/source.ts"
import { isWithin, WINDOW_OPTIONS, type Window, windowOf } from "../../record/window.ts"
import { sha256 } from "../sha256.ts"
import { markdownOf } from "./markdown.ts"

const USAGE = `Usage: daypass audit report FILE [--since TIME] [--until TIME] [--policies DIR] [--json]

Writes evidence for an auditor as Markdown: who got what, what was refused, uses of break-glass grants, operators' acts, changes
of policy, versions of secrets, tokens that were sent twice, and leases without an end. --policies adds grants that nobody
used. FILE is an export of daypass audit export, or - for standard input. It is verified first: the report names the heads of its chains.
TIME is 90d, 12h or 2026-11-01. The same file and times give the same report.
Exit codes: 0 written, 1 the record does not verify, or the folder has errors, 2 something cannot be read.`

/** `daypass audit report`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = { ...WINDOW_OPTIONS, policies: { type: "string" }, json: { type: "boolean" } } as const
  const read = readArguments(args, USAGE, options, io)
  if (typeof read === "number") return read
  const [file = "", ...others] = read.positionals
  if (file === "" || others.length > 0) return misused("audit report takes one file", USAGE, io)
  const window = windowOf(read.options, io.now())
  if (typeof window === "string") return misused(window, USAGE, io)
  const { policies: folder, json } = read.options
  const loaded = typeof folder === "string" ? loadPolicies(folder) : null
  if (typeof loaded === "string") return impossible(loaded, io)
  if (loaded?.result.ok === false) {
    io.err(inert(`daypass: ${counted(loaded.result.fault.length, "error")} in ${folder}: run daypass check ${folder}`))
    return EXIT.no
  }
  try {
    const set = loaded?.result.ok ? loaded.result.value : null
    const report = await reportOf(file, window, set, io)
    if (typeof report === "string") {
      io.err(inert(`daypass: ${report}`))
      return EXIT.no
    }
    if (json === true) printJson(report, io)
    else for (const line of markdownOf(report)) io.out(line)
    return EXIT.ok
  } catch (error) {
    if (error instanceof RecordFault) return impossible(error.message, io)
    throw error
  }
}

/** A sentence instead when the record does not verify: no report rests on such a record. */
async function reportOf(file: string, window: Window, set: PolicySet | null, io: CliIo): Promise<Report | string> {
  const evidence = new Evidence(window)
  const runs = set && new Runs([set], ["event", "ref"])
  const verifier = new ChainVerifier(sha256)
  async function* pieces() {
    for await (const piece of piecesOf(file, io)) {
      verifier.push(piece)
      yield piece
    }
  }
  for await (const lines of linesOf(pieces(), nameOf(file))) {
    for (const line of lines) {
      evidence.add(line)
      if (line.kind === "record" && isWithin(line.record.at, window)) runs?.add(line)
    }
  }
  const verdict = verifier.end()
  if (!verdict.ok) return `${nameOf(file)}:${verdict.fault.line}: the record does not verify: ${verdict.fault.reason}`
  return evidence.report(set && runs && unusedOf(set, runs))
}

function unusedOf(set: PolicySet, runs: Runs): readonly UnusedGrant[] {
  const usage = usageOf(set, runs)
  return set.policies.flatMap((policy) =>
    unusedGrants(policy, usage).map(({ name, file, line, connection }) => ({
      ...{ file, line, grant: name, connection: connection.name },
    })),
  )
}
