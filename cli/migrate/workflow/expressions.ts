/** A reference such as `secrets.NAME` in a text. Offsets are those of the whole reference; `end` is exclusive. */
export interface Reference {
  /** Null when the name is computed, or when the whole context is meant: `toJSON(secrets)`. */
  readonly name: string | null
  readonly start: number
  readonly end: number
}

/** A part of a text that GitHub evaluates: what is between `${{` and `}}`. */
interface Expression {
  readonly start: number
  readonly end: number
}

const TOKEN = /'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_-]*|[0-9][0-9A-Za-z.+-]*|[^\s]/g
const MEMBER = /^\s*\.\s*(?:([A-Za-z_][A-Za-z0-9_-]*)|\*)/
const INDEX = /^\s*\[\s*'((?:[^']|'')*)'\s*\]/

/**
 * Where a text refers to a context of GitHub's expressions, such as `secrets`. Names of contexts have no case. `isCondition`: an
 * `if`, which is an expression even without `${{`.
 *
 * Dots, brackets, `*` and computed names are the forms that GitHub documents ("Contexts", "Evaluate expressions").
 */
export function referencesIn(text: string, context: string, isCondition = false): readonly Reference[] {
  const expressions = expressionsIn(text)
  const all = isCondition && expressions.length === 0 ? [{ start: 0, end: text.length }] : expressions
  return all.flatMap(({ start, end }) => referencesOf(text.slice(start, end), context, start))
}

function referencesOf(expression: string, context: string, offset: number): readonly Reference[] {
  const found: Reference[] = []
  let previous = ""
  for (const { 0: token, index } of expression.matchAll(TOKEN)) {
    const isContext = token.toLowerCase() === context && previous !== "."
    previous = token
    if (!isContext) continue
    const after = index + token.length
    const rest = expression.slice(after)
    const member = MEMBER.exec(rest) ?? INDEX.exec(rest)
    const end = after + (member?.[0].length ?? 0)
    found.push({ name: member?.[1] ?? null, start: offset + index, end: offset + end })
  }
  return found
}

/** The insides of every `${{ }}`. A `}}` in a quoted text does not end one. */
function expressionsIn(text: string): readonly Expression[] {
  const found: Expression[] = []
  for (let at = text.indexOf("${{"); at !== -1; ) {
    const start = at + 3
    const closing = /'(?:[^']|'')*'|\}\}/g
    closing.lastIndex = start
    let end = -1
    for (
      let match = closing.exec(text);
      match !== null && end === -1;
      match = end === -1 ? closing.exec(text) : match
    ) {
      if (match[0] === "}}") end = match.index
    }
    if (end === -1) return found
    found.push({ start, end })
    at = text.indexOf("${{", end)
  }
  return found
}

/** Whether a text is one expression that is this reference and nothing else: `${{ secrets.NAME }}`. */
export function isWhole(text: string, { start, end }: Reference): boolean {
  const [before, after] = [text.slice(0, start), text.slice(end)]
  return /^\s*\$\{\{\s*$/.test(before) && /^\s*\}\}\s*$/.test(after)
}
