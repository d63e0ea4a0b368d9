/** Needs no quotes for any program that splits a command line: a shell, botocore, Go's `strings.Fields`. */
const PLAIN = /^[A-Za-z0-9_./:@%+,=-]+$/
/** The same with cmd: a backslash is a plain character, and `%` expands variables. */
const PLAIN_ON_WINDOWS = /^[A-Za-z0-9_./:\\@+~-]+$/
/** For programs that split at blanks and start no shell. */
const PLAIN_WITHOUT_SHELL = /^[A-Za-z0-9_./:@%+,=~-]+$/
/**
 * What no quotes protect everywhere: a quote itself, a line end, and `#` or `;` after a blank, where readers of AWS's
 * configuration files see a comment.
 */
const NOT_IN_SINGLE_QUOTES = /['\\\p{Cc}]|\s[#;]/u
const NOT_IN_DOUBLE_QUOTES = /["%\p{Cc}]|\s[#;]/u

/**
 * One command line for programs that split it in different ways: `sh -c` and `cmd /C` (Go, JavaScript), and botocore's own
 * splitter. Null when no spelling means the same for all.
 *
 * Nothing is quoted that needs no quotes: cmd drops the first and the last quote of a line that starts with one.
 */
export function commandLine(parts: readonly string[], platform: NodeJS.Platform): string | null {
  const isWindows = platform === "win32"
  const isPlain = (part: string) => (isWindows ? PLAIN_ON_WINDOWS : PLAIN).test(part)
  if (parts.every(isPlain)) return parts.join(" ")
  // cmd drops the quotes of a quoted program, and then finds another one.
  if (isWindows && !isPlain(parts[0] ?? "")) return null
  if (parts.some((part) => (isWindows ? NOT_IN_DOUBLE_QUOTES : NOT_IN_SINGLE_QUOTES).test(part))) return null
  const quote = isWindows ? '"' : "'"
  return parts.map((part) => (isPlain(part) ? part : `${quote}${part}${quote}`)).join(" ")
}

/**
 * For programs that split at blanks and know no quotes (Google's library for Go, gcloud), and for one that knows them and
 * takes a backslash away (Google's library for Python). Null when there is no such spelling.
 */
export function commandLineWithoutQuotes(parts: readonly string[], platform: NodeJS.Platform): string | null {
  const spelled = platform === "win32" ? parts.map((part) => part.replaceAll("\\", "/")) : parts
  return spelled.every((part) => PLAIN_WITHOUT_SHELL.test(part)) ? spelled.join(" ") : null
}
