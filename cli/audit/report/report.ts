import { ChainVerifier } from "../../../analysis/audit/verify.ts"
import { Evidence, type Report } from "../../../analysis/evidence/report.ts"
import { MAX_DURATION_SECONDS } from "../../../broker/core/duration.ts"
import { complain, impossible, misused } from "../../arguments.ts"
import { inertJson } from "../../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../../io.ts"
import { openOperator } from "../../operate/client.ts"
import { linesOf } from "../../record/lines.ts"
import {
  isBroker,
  nameOf,
  piecesOf,
  placeOf,
  type RecordPlace,
  signInOptions,
  unreadable,
} from "../../record/source.ts"
import { isWithin, type Window, windowOf } from "../../record/window.ts"
import { sha256 } from "../sha256.ts"
import { markdownOf } from "./markdown.ts"
import { checkReport, signReport } from "./sign.ts"
import type { UnusedIn } from "./unused.ts"

/** `daypass audit report`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const file = placeOf(given, io)
  if (file === null) return misused("audit report takes one file, or --broker")
  const window = windowOf(given.options, io.now())
  if (typeof window === "string") return misused(window)
  const { policies: folder, json, sign, check, policy } = given.options
  if (check !== undefined || policy !== undefined) {
    if (typeof check !== "string" || typeof policy !== "string" || sign !== undefined || isBroker(file))
      return misused("--check takes the note, with --policy and the report's file")
    return await checkReport({ report: file, note: check, policy }, io)
  }
  if (sign !== undefined && !isBroker(file)) return misused("--sign needs --broker: its log signs")
  const unused = typeof folder === "string" ? await unusedIn(folder, io) : null
  if (typeof unused === "number") return unused
  try {
    const client = isBroker(file) ? await openOperator(signInOptions(file, given.options), io) : undefined
    const report = await reportOf({ from: file, options: given.options, ...(client && { client }) }, window, unused, io)
    if (typeof report === "string") {
      complain(report, io)
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
  unused: UnusedIn | null,
  io: CliIo,
): Promise<Report | string> {
  const name = nameOf(place.from)
  const evidence = new Evidence(window)
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
      if (line.kind === "record" && isWithin(line.record.at, window)) unused?.add(line)
    }
  }
  const verdict = verifier.end()
  if (!verdict.ok) return `${name}:${verdict.fault.line}: the record does not verify: ${verdict.fault.reason}`
  return evidence.report(unused?.grants() ?? null)
}

/** A lease lives at most so long: one that ends in the period has begun since then. */
function begunBefore({ since }: Window): string | null {
  return since === null ? null : new Date(Date.parse(since) - MAX_DURATION_SECONDS * 1000).toISOString()
}

/** Loaded with its first use: a report without a folder needs no policies. */
const unusedIn = async (folder: string, io: CliIo): Promise<UnusedIn | number> =>
  (await import("./unused.ts")).UnusedIn.folder(folder, io)
