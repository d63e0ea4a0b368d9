import { type OpenRecord, openRecord, RecordMaker } from "../../../action/fingerprints/record.ts"
import { patternsFor } from "../../../action/patterns.ts"
import type { SweepReport } from "../../../action/sweep/report.ts"
import { type SweepRequest, sweep } from "../../../action/sweep/sweep.ts"

/** A made-up secret of this test's job. */
export const ISSUED = "s3cr3t>>>value???/K7MDENG+bPxRfiCY"

/** The record of a step that issued `values`, the first one by the name `key`. */
export function recordOf(values: readonly string[] = [ISSUED], since = Date.now()): OpenRecord {
  const known = values.map((value, index) => ({
    grant: "aws-deploy",
    name: index === 0 ? "key" : `key-${index}`,
    patterns: patternsFor(value),
  }))
  const record = openRecord(Buffer.from(new RecordMaker("token").make(known, since)), "token")
  if (record === null) throw new Error("the record does not open")
  return record
}

/** What a sweep finds, one line each: places, and what was not looked at. */
export async function swept(request: Partial<SweepRequest>): Promise<SweepReport & { readonly places: string[] }> {
  const report = await sweep({
    records: [recordOf()],
    named: [],
    workspace: null,
    temp: null,
    home: null,
    variables: {},
    milliseconds: 60_000,
    ...request,
  })
  const places = [
    ...report.findings.map(
      ({ path, entry, line }) =>
        `${path}${line === undefined ? "" : `:${line}`}${entry === undefined ? "" : ` in ${entry}`}`,
    ),
    ...report.unread.map(({ path, reason }) => `unread ${path} (${reason})`),
  ]
  return { ...report, places }
}
