import { fail, ok, type Result } from "../result.ts"

/** What the log's key says about an audit report: that an operator asked for its signature at that time. */
export interface ReportNote {
  /** The log's name. */
  readonly origin: string
  /** SHA-256 of the report's bytes, in hex. */
  readonly sha256: string
  /** ISO 8601, UTC. */
  readonly at: string
}

/**
 * The first line. No log has this name, so a signed report is never a checkpoint: that begins with the log's name. Nor is it
 * what a witness signs: that begins with `cosignature/v1`.
 */
const TITLE = "daypass audit report v1"

/** The text of the signed note (c2sp.org/signed-note). */
export const formatReportNote = ({ origin, sha256, at }: ReportNote): string =>
  `${TITLE}\n${origin}\nsha256 ${sha256}\nsigned ${at}\n`

/** Parses the text of a note whose signature was verified. */
export function parseReportNote(text: string): Result<ReportNote, string> {
  const form = /^daypass audit report v1\n([^\n]+)\nsha256 ([0-9a-f]{64})\nsigned ([0-9TZ:.-]{20,24})\n$/
  const [, origin = "", sha256 = "", at = ""] = form.exec(text) ?? []
  return sha256 === "" ? fail("the note is not one of an audit report") : ok({ origin, sha256, at })
}
