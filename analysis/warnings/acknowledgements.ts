import { Lexer } from "yaml"
import { quote } from "../../broker/core/policy/faults.ts"
import type { Sources } from "./sources.ts"
import { WARNING_CODES, type Warning, warn } from "./warning.ts"

/** The start of an acknowledgement: `# daypass: allow double_star`. Commas separate further codes. */
const MARK = "# daypass: allow "
const ACKNOWLEDGEMENT = /# daypass: allow ([a-z_]+(?:, ?[a-z_]+)*)/
/** Marks that YAML's lexer puts between tokens. They are not part of the text. */
const LEXER_MARKS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001f"])

/** The warnings that remain, and those that a comment in their file acknowledges as intended. */
export interface Acknowledged {
  readonly warnings: readonly Warning[]
  readonly acknowledged: readonly Warning[]
}

/**
 * Removes the warnings that a comment acknowledges by code. The comment stands on the warning's line, or alone on a line
 * above it. A comment that acknowledges nothing is reported: once the cause is fixed, it would hide the next warning.
 *
 * Everyone who may write the policy may write the comment. Reviewers see it in the same change.
 */
export function acknowledge(warnings: readonly Warning[], sources: Sources): Acknowledged {
  const marks = new Map<string, Mark[]>()
  for (const [file, lines] of sources.linesWith(MARK)) {
    for (const { index, column, text } of commentsIn(lines)) {
      const match = ACKNOWLEDGEMENT.exec(text)
      if (match === null) continue
      const isOwnLine = (lines[index] ?? "").slice(0, column).trim() === ""
      const mark = {
        file,
        line: index + 1,
        column: column + match.index + 1,
        targetLine: index + (isOwnLine ? linesToNextContent(lines, index) : 1),
      }
      for (const code of (match[1] ?? "").split(/, ?/))
        push(marks, keyOf(file, mark.targetLine, code), { ...mark, code })
    }
  }
  const used = new Set<Mark>()
  const isAcknowledged = ({ file, line, code }: Warning): boolean => {
    const found = marks.get(keyOf(file, line, code)) ?? []
    for (const mark of found) used.add(mark)
    return found.length > 0
  }
  const acknowledged = warnings.filter(isAcknowledged)
  const unused = [...marks.values()].flat().filter((mark) => !used.has(mark))
  return {
    warnings: [...warnings.filter((warning) => !isAcknowledged(warning)), ...unused.map(unusedMark)],
    acknowledged,
  }
}

interface Mark {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: string
}

interface Comment {
  /** The index of its line. */
  readonly index: number
  readonly column: number
  readonly text: string
}

/** The YAML comments of a file. A string that looks like a comment, such as a rule's name, is not one. */
function* commentsIn(lines: readonly string[]): Generator<Comment> {
  let [index, column] = [0, 0]
  for (const piece of new Lexer().lex(lines.join("\n"))) {
    if (LEXER_MARKS.has(piece)) continue
    if (piece.startsWith("#")) yield { index, column, text: piece }
    const breaks = piece.split("\n")
    index += breaks.length - 1
    column = (breaks.length > 1 ? 0 : column) + (breaks.at(-1) ?? "").length
  }
}

/** The distance, in lines, to the next line with content: one that is not empty and not a comment. At least 1. */
function linesToNextContent(lines: readonly string[], index: number): number {
  const next = lines.findIndex((line, at) => at > index && !/^\s*(?:#|$)/.test(line))
  return next < 0 ? 1 : next - index + 1
}

function unusedMark({ file, line, column, code }: Mark): Warning {
  const isCode = (WARNING_CODES as readonly string[]).includes(code)
  const message = isCode
    ? `This line no longer causes the warning ${code}. Remove the comment: it would hide the next such warning.`
    : `The warning ${quote(code)} does not exist, so this comment has no effect. Correct the code, or remove the comment.`
  return warn(file, { line, column }, "acknowledgement_unused", message)
}

const keyOf = (file: string, line: number, code: string): string => `${file}\n${line}\n${code}`

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
