import { Lexer } from "yaml"
import { quote } from "../../broker/core/policy/faults.ts"
import type { Sources } from "./sources.ts"
import { WARNING_CODES, type Warning, warn } from "./warning.ts"

/** What begins an acknowledgement: `# daypass: allow double_star`, with further codes behind commas. */
const MARK = "# daypass: allow "
const ACKNOWLEDGEMENT = /# daypass: allow ([a-z_]+(?:, ?[a-z_]+)*)/
/** What YAML's lexer puts between the pieces of a text and is no part of it. */
const LEXER_MARKS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001f"])

/** Warnings that are left, and those that their files say are meant so. */
export interface Acknowledged {
  readonly warnings: readonly Warning[]
  readonly acknowledged: readonly Warning[]
}

/**
 * Takes away what a comment on its line, or on a line of its own above, acknowledges by code. Comments that acknowledge
 * nothing are said to: what was fixed must not keep the next one silent.
 *
 * Whoever may write the policy may write the comment: it is there for reviewers, who see it in the same change.
 */
export function acknowledge(warnings: readonly Warning[], sources: Sources): Acknowledged {
  const marks = new Map<string, Mark[]>()
  for (const [file, lines] of sources.linesWith(MARK)) {
    for (const { index, column, text } of commentsIn(lines)) {
      const match = ACKNOWLEDGEMENT.exec(text)
      if (match === null) continue
      const isAlone = (lines[index] ?? "").slice(0, column).trim() === ""
      const mark = {
        file,
        line: index + 1,
        column: column + match.index + 1,
        about: index + (isAlone ? nextContent(lines, index) : 1),
      }
      for (const code of (match[1] ?? "").split(/, ?/)) push(marks, keyOf(file, mark.about, code), { ...mark, code })
    }
  }
  const used = new Set<Mark>()
  const isMeant = ({ file, line, code }: Warning): boolean => {
    const found = marks.get(keyOf(file, line, code)) ?? []
    for (const mark of found) used.add(mark)
    return found.length > 0
  }
  const acknowledged = warnings.filter(isMeant)
  const unused = [...marks.values()].flat().filter((mark) => !used.has(mark))
  return {
    warnings: [...warnings.filter((warning) => !isMeant(warning)), ...unused.map(unusedMark)],
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
  /** Of its line. */
  readonly index: number
  readonly column: number
  readonly text: string
}

/** The comments of a file, as YAML has them: a text that looks like one, such as a rule's name, acknowledges nothing. */
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

/** How many lines further the next line stands that is neither empty nor a comment; it counts from 1. */
function nextContent(lines: readonly string[], index: number): number {
  const next = lines.findIndex((line, at) => at > index && !/^\s*(?:#|$)/.test(line))
  return next < 0 ? 1 : next - index + 1
}

function unusedMark({ file, line, column, code }: Mark): Warning {
  const isCode = (WARNING_CODES as readonly string[]).includes(code)
  const message = isCode
    ? `Nothing here is ${code} any more: remove the comment, so that it does not keep the next one silent.`
    : `There is no warning ${quote(code)}: the comment acknowledges nothing.`
  return warn(file, { line, column }, "acknowledgement_unused", message)
}

const keyOf = (file: string, line: number, code: string): string => `${file}\n${line}\n${code}`

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
