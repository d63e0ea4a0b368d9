import { visible } from "../broker/core/policy/faults.ts"

/**
 * One line of a terminal or a log, whatever it holds: text of policy files, tokens and brokers that nobody has reviewed.
 *
 * What cannot be seen is written `\u{...}`, line breaks and escape sequences among it. A CI runner takes a line that
 * begins with `::` for a command (`::add-path::`), spaces before it or not, and one of the old kind, `##[...]`, anywhere
 * in a line: both are written so that they are none.
 */
export function inert(line: string): string {
  return visible(line)
    .replace(/^(\s*):(?=:)/u, "$1\\u{3a}")
    .replaceAll("##[", "##\\u{5b}")
}

/** JSON for people and for programs: as indented as usual, the same value to every parser, and inert as a log's text. */
export function inertJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escapeUnits)
    .replaceAll("##[", "##\\u005b")
}

/**
 * A GitHub workflow command: `::error file=...,line=...::message`. Properties and message are foreign text: nothing in
 * them ends the property, the command or the line.
 */
export function workflowCommand(
  name: "error" | "warning" | "notice",
  properties: Readonly<Record<string, string | number>>,
  message: string,
): string {
  const written = Object.entries(properties).map(([key, value]) => `${key}=${commandProperty(String(value))}`)
  return `::${name}${written.length === 0 ? "" : " "}${written.join(",")}::${commandData(message)}`
}

/** Text as inert Markdown, in a table's cell too: what could be structure becomes a character reference. */
export function inertMarkdown(text: string): string {
  return visible(text).replace(MARKDOWN_STRUCTURE, (character) => `&#${character.codePointAt(0)};`)
}

/** GFM makes links of addresses without brackets, too: every dot and colon goes. */
const MARKDOWN_STRUCTURE = /[^A-Za-z0-9 /,_-]|(?<![A-Za-z0-9])[_-]|[_-](?![A-Za-z0-9])/gu

const escapeUnits = (character: string) =>
  [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
    .join("")

/** What the runner decodes again, and nothing else: a message may have several lines, and they stay one command. */
const commandData = (text: string) =>
  text
    .replace(/[^\r\n]+/g, visible)
    .replaceAll("%", "%25")
    .replaceAll("\r", "%0D")
    .replaceAll("\n", "%0A")
    .replaceAll("##[", "##\\u{5b}")

const commandProperty = (text: string) => commandData(text).replaceAll(":", "%3A").replaceAll(",", "%2C")
