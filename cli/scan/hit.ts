import type { Literal } from "../secrets/literals.ts"

/** A secret that was found. It has no text of the secret. Everything in it but `line` and `column` is untrusted. */
export interface Hit {
  /** Of the scanner: `github/GITHUB_TOKEN`, or a name of another scanner's. */
  readonly rule: string
  /** From the current directory, or as the report has it; with forward slashes. */
  readonly path: string
  /** The place inside of an archive: `layer.tar / app/.env`. */
  readonly entry?: string
  /** 1-based; left out where a report does not say it. */
  readonly line?: number
  readonly column?: number
  /** The commit that brought it, in hex. */
  readonly commit?: string
  /** What its file calls it: a variable, a member. */
  readonly name?: string
}

/** A name before `=` or `:`, in quotes or without. Short: the text before a secret can be another one. */
const NAME_BEFORE = /(?:^|[^\w.-])([A-Za-z_][\w.-]{0,47})["']?\s{0,4}(?::=|=>|[:=])\s{0,4}["'`]?$/
const MOST_BEFORE = 60

/** The name that a text ends with, before a secret; null without one. */
export const nameBefore = (before: string): string | null => NAME_BEFORE.exec(before.slice(-MOST_BEFORE))?.[1] ?? null

/** What of a text goes into a hit: place and name, never the literal. `others`: whose text can be no name. */
export function placeIn(text: string, { at }: Literal, others: readonly Literal[]) {
  const start = text.lastIndexOf("\n", at - 1) + 1
  const line = lineOf(text, at)
  const before = text.slice(Math.max(start, at - MOST_BEFORE), at)
  const name = nameBefore(before)
  const nameAt = name === null ? -1 : at - before.length + before.lastIndexOf(name)
  const isSecret = others.some((other) => nameAt < other.end && nameAt + (name?.length ?? 0) > other.at)
  return { line, column: at - start + 1, ...(name !== null && !isSecret && { name }) }
}

function lineOf(text: string, at: number): number {
  let line = 1
  for (let next = text.indexOf("\n"); next !== -1 && next < at; next = text.indexOf("\n", next + 1)) line++
  return line
}
