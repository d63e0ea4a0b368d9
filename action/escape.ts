const MAX_SHOWN_CHARACTERS = 400
/** For whole messages, which can name several grants or faults. */
const MAX_TEXT_CHARACTERS = 4_000

/**
 * Printable ASCII, as almost every text. Expressions without Unicode classes are compiled ten times as fast: those with
 * them took one and a half milliseconds of each start.
 */
const ASCII = /^[\x20-\x7e]*$/

/**
 * What Markdown, or GitHub's reading of it, takes for structure. Everything else stays readable in the source too.
 *
 * @param word letters and digits, as the inside of a character class
 */
const structureAmong = (word: string): string =>
  [
    // Escapes, code, emphasis, links, tags, table cells, strikethrough, mathematics, character references, mentions,
    // headings (also at the end of one) and references to issues.
    String.raw`[\\\x60*[\]<>|~$&@#]`,
    // Emphasis, except inside a word.
    `(?<![${word}])_|_(?![${word}])`,
    // GFM turns `https://`, `mailto:`, `xmpp:` and `www.` into links without brackets.
    String.raw`:(?=\/\/)|(?<=mailto|xmpp):|(?<=www)\.`,
    // `:name:` is an emoji on GitHub. Minutes and most line numbers are none.
    String.raw`:(?=[\w+-]+:)(?!\d{1,2}:)`,
    // At the start of a line: lists, rules, underlined headings, indented code.
    String.raw`^[-+= ]|(?<=^\d{1,9})[.)]`,
  ].join("|")

/** What must be replaced in `text`: structure, or with `spans` a code span or structure. */
function structureIn(text: string, spans = false): RegExp {
  const isAscii = ASCII.test(text)
  const structure = structureAmong(isAscii ? "A-Za-z0-9" : String.raw`\p{L}\p{N}`)
  return new RegExp(spans ? `\`[^\`]+\`|${structure}` : structure, isAscii ? "gi" : "giu")
}

/**
 * Untrusted text (a branch name, a claim, the broker's message) as one line of the log.
 *
 * The runner runs a line that starts with `::` as a command, and `##[` anywhere in a line as an old-style command.
 * The caller starts the line with fixed words; this function makes line breaks visible and splits `##[`.
 */
export function forLog(text: string, limit = MAX_SHOWN_CHARACTERS): string {
  return visible(shortened(text, limit)).replaceAll("##[", "## [")
}

/** A whole message as one line of the log. */
export const messageForLog = (text: string): string => forLog(text, MAX_TEXT_CHARACTERS)

/**
 * Untrusted text as inert Markdown, also inside a table cell. A character that could be structure becomes a character
 * reference, which CommonMark never reads as structure: no tag, link, pipe, backtick, image, list or line break survives in
 * any renderer. All other characters stay.
 */
export function forMarkdown(text: string, limit = MAX_SHOWN_CHARACTERS): string {
  return visible(shortened(text, limit)).replace(structureIn(text), reference)
}

/**
 * A whole message as inert Markdown, with its code spans. A span's content has no backtick and no line break, so nothing in
 * it is structure. Not for table cells: a pipe ends a cell also inside a code span.
 */
export function messageForMarkdown(text: string): string {
  return visible(shortened(text, MAX_TEXT_CHARACTERS)).replace(structureIn(text, true), (found) =>
    found.length > 2 ? found : reference(found),
  )
}

const reference = (character: string) => `&#${character.codePointAt(0)};`

/**
 * Not an expression yet: V8 checks each literal when it reads a file, and for this one it loads Unicode's tables, which takes a
 * millisecond of every start.
 */
const INVISIBLE = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]`

/** Control characters, line breaks and invisible or text-reversing characters as `\u{..}`. */
function visible(text: string): string {
  if (ASCII.test(text)) return text
  return text.replace(new RegExp(INVISIBLE, "gu"), (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

function shortened(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}...`
}
