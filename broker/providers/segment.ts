/**
 * Why a name cannot be one part of a locator; null when it can. The end of a sentence that begins with the locator.
 *
 * People choose these names, and nearly any character is allowed. Refused is everything that would give one secret two
 * spellings, because boundaries compare the spelling: empty parts, `.` and `..`, invisible spaces, percent-encoding, and
 * `special`, the characters of the store's own syntax.
 */
export function segmentFault(name: string, special: RegExp): string | null {
  if (name === "") return "must not have an empty part: remove double slashes, and slashes at the start or end"
  if (name === "." || name === "..") return "must not have a part that is . or .."
  if (name.trim() !== name) return "must not have a part that begins or ends with a space"
  if (/[\p{Z}\p{C}]/u.test(name.replaceAll(" ", ""))) return "must not have an invisible character"
  if (special.test(name)) return `must not have any of these characters: ${shown(special)}`
  return null
}

/** The characters of a class such as `["\\%]`, separated by spaces, for messages. */
const shown = ({ source }: RegExp) => [...source.slice(1, -1).replaceAll("\\\\", "\\")].join(" ")
