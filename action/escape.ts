const MAX_SHOWN_CHARACTERS = 400

// GFM turns `www.` and `https:` into links even without brackets.
const STRUCTURE = /[^A-Za-z0-9 /,.-]|(?<![A-Za-z0-9])[.-]|[.-](?![A-Za-z0-9])|(?<=www)\./giu

/**
 * Untrusted text (a branch name, a claim, the broker's message) as one line of the log.
 *
 * The runner runs a line that starts with `::` as a command, and `##[` anywhere in a line as an old-style command.
 * The caller starts the line with fixed words; this function makes line breaks visible and splits `##[`.
 */
export function forLog(text: string): string {
  return visible(shortened(text)).replaceAll("##[", "## [")
}

/**
 * Untrusted text as inert Markdown, also inside a table cell. Letters, digits, spaces, `/`, `,`, and dots and dashes
 * inside words stay. Every other character becomes a character reference, which CommonMark never reads as structure: no
 * tag, link, pipe, backtick, image, list or line break survives in any renderer.
 */
export function forMarkdown(text: string): string {
  return visible(shortened(text)).replace(STRUCTURE, (character) => `&#${character.codePointAt(0)};`)
}

/** Control characters, line breaks and invisible or text-reversing characters as `\u{..}`. */
function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

function shortened(text: string): string {
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}...`
}
