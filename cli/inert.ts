import { visible } from "../broker/core/policy/faults.ts"

/**
 * Makes untrusted text safe as one line of a terminal or a log: it comes from policy files, tokens and brokers.
 *
 * Invisible characters become `\u{...}`, including line breaks and escape sequences. A CI runner executes a line that
 * starts with `::`, with or without spaces before it (`::add-path::`), and the old form `##[...]` anywhere in a line. Both
 * are escaped so that the runner does not recognise them.
 */
export function inert(line: string): string {
  return visible(line)
    .replace(/^(\s*):(?=:)/u, "$1\\u{3a}")
    .replaceAll("##[", "##\\u{5b}")
}

/** Indented JSON that is safe in a log. Every parser reads the same value from it. */
export function inertJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}]/gu, escapeUnits)
    .replaceAll("##[", "##\\u005b")
}

/**
 * A GitHub workflow command: `::error file=...,line=...::message`. Properties and message are untrusted text. They are
 * escaped, so nothing in them can end the property, the command or the line.
 */
export function workflowCommand(
  name: "error" | "warning" | "notice",
  properties: Readonly<Record<string, string | number>>,
  message: string,
): string {
  const written = Object.entries(properties).map(([key, value]) => `${key}=${commandProperty(String(value))}`)
  return `::${name}${written.length === 0 ? "" : " "}${written.join(",")}::${commandData(message)}`
}

/** Text that is safe in Markdown, also in a cell of a table: every structural character becomes a character reference. */
export function inertMarkdown(text: string): string {
  return visible(text).replace(MARKDOWN_STRUCTURE, (character) => `&#${character.codePointAt(0)};`)
}

/** GFM makes links of plain addresses too, so every dot and colon is replaced. */
const MARKDOWN_STRUCTURE = /[^A-Za-z0-9 /,_-]|(?<![A-Za-z0-9])[_-]|[_-](?![A-Za-z0-9])/gu

const escapeUnits = (character: string) =>
  [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
    .join("")

/** Escapes exactly what the runner decodes: a message may have several lines, and they stay one command. */
const commandData = (text: string) =>
  text
    .replace(/[^\r\n]+/g, visible)
    .replaceAll("%", "%25")
    .replaceAll("\r", "%0D")
    .replaceAll("\n", "%0A")
    .replaceAll("##[", "##\\u{5b}")

const commandProperty = (text: string) => commandData(text).replaceAll(":", "%3A").replaceAll(",", "%2C")
