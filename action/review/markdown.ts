import { inert } from "../../cli/inert.ts"
import type { Review, Section } from "./review.ts"

/** GitHub's limits, in characters of Markdown: of a comment, and of a check's summary, which is one less. */
export const MAX_COMMENT = 65_535
export const MAX_SUMMARY = 65_535
/** A step's summary may have 1 MiB. Nobody reads that much. */
export const MAX_STEP_SUMMARY = 262_144

/**
 * A review as Markdown, of at most `limit` characters.
 *
 * Text of policies stands in fenced blocks alone, each with a fence that is longer than any in the text. There GitHub makes no links,
 * images or mentions of it: a pull request could otherwise call people, or show what looks like a part of the report. Invisible
 * characters are written out.
 *
 * @param head our own Markdown, above everything
 */
export function markdownOf(review: Review, head: readonly string[], limit: number): string {
  const start = [...head, review.headline].join("\n\n")
  const foot = "\n\nThe report is cut here. The log of the job has all of it.\n"
  let room = limit - start.length - foot.length
  let text = ""
  for (const each of review.sections) {
    const block = blockOf(each, room)
    text += block.text
    room -= block.text.length
    if (block.isCut) return `${start}${text}${foot}`
  }
  return `${start}${text}\n`
}

function blockOf({ title, kind, lines }: Section, room: number): { readonly text: string; readonly isCut: boolean } {
  const safe = lines.map(inert)
  const longest = safe.reduce((most, line) => Math.max(most, ...(line.match(/`+/g) ?? []).map((run) => run.length)), 2)
  const fence = "`".repeat(longest + 1)
  const [before, after] = [`\n\n#### ${title}\n\n${fence}${kind}\n`, fence]
  let left = room - before.length - after.length
  const shown: string[] = []
  for (const line of safe) {
    if (line.length + 1 > left) break
    left -= line.length + 1
    shown.push(`${line}\n`)
  }
  const isCut = shown.length < safe.length
  if (shown.length === 0) return { text: "", isCut }
  return { text: `${before}${shown.join("")}${after}`, isCut }
}
