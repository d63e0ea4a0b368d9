const MAX_SHOWN_CHARACTERS = 400

// GFM makes links of `www.` and of `https:` even without brackets.
const STRUCTURE = /[^A-Za-z0-9 /,.-]|(?<![A-Za-z0-9])[.-]|[.-](?![A-Za-z0-9])|(?<=www)\./giu

/**
 * Text of foreign origin (a branch name, a claim, a broker's sentence) as one line of the log.
 *
 * The runner takes a line that starts with `::` for a command, and `##[` anywhere in a line for one of the old kind.
 * Callers put words of their own first; here line breaks become visible and `##[` is taken apart.
 */
export function forLog(text: string): string {
  return visible(shortened(text)).replaceAll("##[", "## [")
}

/**
 * Text of foreign origin as inert Markdown, in a table cell too. Everything but letters, digits, spaces, `/`, `,`, and
 * dots and dashes inside of words becomes a character reference, which CommonMark never reads as structure: no tag,
 * link, pipe, backtick, image, list or line survives, whatever renders it.
 */
export function forMarkdown(text: string): string {
  return visible(shortened(text)).replace(STRUCTURE, (character) => `&#${character.codePointAt(0)};`)
}

/** Control characters, line breaks and invisible or text-reversing characters as `\u{..}`. */
function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

function shortened(text: string): string {
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}...`
}
