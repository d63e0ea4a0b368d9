/**
 * Why a name that people chose cannot be one part of a locator; null when it can. The end of a sentence that begins with
 * the locator.
 *
 * Such names may hold nearly anything. What is refused is what would give one thing two spellings, since a ceiling goes by
 * the spelling: parts that are empty or lead elsewhere, spaces that nobody sees, percent-encoding; and `special`, what the
 * store's own syntax is made of.
 */
export function segmentFault(name: string, special: RegExp): string | null {
  if (name === "") return "has an empty part: two slashes in a row, or one at an end"
  if (name === "." || name === "..") return "has a part that is . or .. and names nothing"
  if (name.trim() !== name) return "has a part that begins or ends with a space"
  if (/[\p{Z}\p{C}]/u.test(name.replaceAll(" ", ""))) return "has a character that cannot be seen"
  if (special.test(name)) return `has one of the characters that it cannot hold: ${shown(special)}`
  return null
}

/** The characters of a class, as `["\\%]`, for people. */
const shown = ({ source }: RegExp) => [...source.slice(1, -1).replaceAll("\\\\", "\\")].join(" ")
