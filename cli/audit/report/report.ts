import { ChainVerifier } from "../../../analysis/audit/verify.ts"
import { Evidence, type Report, type UnusedGrant } from "../../../analysis/evidence/report.ts"
import { Runs } from "../../../analysis/used/runs.ts"
import { unusedGrants, usageOf } from "../../../analysis/used/usage.ts"
import { MAX_DURATION_SECONDS } from "../../../broker/core/duration.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { impossible, misused, readArguments } from "../../arguments.ts"
import { counted } from "../../format.ts"
import { inert, inertJson } from "../../inert.ts"
import { type CliIo, EXIT } from "../../io.ts"
import { openOperator } from "../../operate/client.ts"
import { loadPolicies } from "../../policies.ts"
import { linesOf } from "../../record/lines.ts"
import {
  isBroker,
  nameOf,
  piecesOf,
  placeOf,
  RECORD_USAGE,
  type RecordPlace,
  SIGN_IN_OPTIONS,
  signInOptions,
  unreadable,
} from "../../record/source.ts"
import { isWithin, WINDOW_OPTIONS, type Window, windowOf } from "../../record/window.ts"
import { sha256 } from "../sha256.ts"
import { markdownOf } from "./markdown.ts"
import { checkReport, signReport } from "./sign.ts"

const USAGE = `Usage: daypass audit report (FILE | --broker URL) [--since TIME] [--until TIME] [--policies DIR] [--json] [--sign NOTE]
       daypass audit report REPORT --check NOTE --policy FILE

Writes evidence for an auditor as Markdown: who got what, what was refused, uses of break-glass grants, operators' acts, changes
of policy, versions of secrets, tokens that were sent twice, and leases without an end. --policies adds grants that nobody
used. The record is verified first, and the report names the heads of its chains. The same record and times give the same report.
--sign has the broker sign what is printed, and writes the signed note. --check verifies such a note: FILE says whose log you accept, as
for daypass audit verify.
${RECORD_USAGE}
Exit codes: 0 written, 1 the record or the note does not verify, or the folder has errors, 2 something cannot be read.`

/** `daypass audit report`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = {
    ...WINDOW_OPTIONS,
    ...SIGN_IN_OPTIONS,
    broker: { type: "string" },
    policies: { type: "string" },
    sign: { type: "string" },
    check: { type: "string" },
    policy: { type: "string" },
    json: { type: "boolean" },
  } as const
  const read = readArguments(args, USAGE, options, io)
  if (typeof read === "number") return read
  const file = placeOf(read, io)
  if (file === null) return misused("audit report takes one file, or --broker", USAGE, io)
  const window = windowOf(read.options, io.now())
  if (typeof window === "string") return misused(window, USAGE, io)
  const { policies: folder, json, sign, check, policy } = read.options
  if (check !== undefined || policy !== undefined) {
    if (typeof check !== "string" || typeof policy !== "string" || sign !== undefined || isBroker(file))
      return misused("--check takes the note, with --policy and the report's file", USAGE, io)
    return await checkReport({ report: file, note: check, policy }, io)
  }
  if (sign !== undefined && !isBroker(file)) return misused("--sign needs --broker: its log signs", USAGE, io)
  const loaded = typeof folder === "string" ? loadPolicies(folder) : null
  if (typeof loaded === "string") return impossible(loaded, io)
  if (loaded?.result.ok === false) {
    io.err(inert(`daypass: ${counted(loaded.result.fault.length, "error")} in ${folder}: run daypass check ${folder}`))
    return EXIT.no
  }
  try {
    const set = loaded?.result.ok ? loaded.result.value : null
    const client = isBroker(file) ? await openOperator(signInOptions(file, read.options), io) : undefined
    const report = await reportOf({ from: file, options: read.options, ...(client && { client }) }, window, set, io)
    if (typeof report === "string") {
      io.err(inert(`daypass: ${report}`))
      return EXIT.no
    }
    const text = json === true ? inertJson(report) : markdownOf(report).join("\n")
    if (typeof sign === "string" && client) {
      const fault = await signReport(text, sign, client, io)
      if (fault !== null) return impossible(fault, io)
    }
    io.out(text)
    return EXIT.ok
  } catch (error) {
    return unreadable(error, io)
  }
}

/** A sentence instead when the record does not verify: no report rests on such a record. */
async function reportOf(
  place: RecordPlace,
  window: Window,
  set: PolicySet | null,
  io: CliIo,
): Promise<Report | string> {
  const name = nameOf(place.from)
  const evidence = new Evidence(window)
  const runs = set && new Runs([set], ["event", "ref"])
  const verifier = new ChainVerifier(sha256)
  async function* pieces() {
    for await (const piece of piecesOf(place, begunBefore(window), io)) {
      verifier.push(piece)
      yield piece
    }
  }
  for await (const lines of linesOf(pieces(), name)) {
    for (const line of lines) {
      evidence.add(line)
      if (line.kind === "record" && isWithin(line.record.at, window)) runs?.add(line)
    }
  }
  const verdict = verifier.end()
  if (!verdict.ok) return `${name}:${verdict.fault.line}: the record does not verify: ${verdict.fault.reason}`
  return evidence.report(set && runs && unusedOf(set, runs))
}

/** A lease lives at most so long: one that ends in the period has begun since then. */
function begunBefore({ since }: Window): string | null {
  return since === null ? null : new Date(Date.parse(since) - MAX_DURATION_SECONDS * 1000).toISOString()
}

function unusedOf(set: PolicySet, runs: Runs): readonly UnusedGrant[] {
  const usage = usageOf(set, runs)
  return set.policies.flatMap((policy) =>
    unusedGrants(policy, usage).map(({ name, file, line, connection }) => ({
      ...{ file, line, grant: name, connection: connection.name },
    })),
  )
}
