import type { PolicyFault } from "./model.ts"

/** What can be wrong with a policy folder. Stable: scripts read these from `daypass check --json`. */
export type FaultCode =
  // The folder.
  | "folder_unreadable"
  | "file_name"
  | "file_duplicate"
  | "file_refused"
  | "file_too_large"
  | "organisation_missing"
  | "organisation_misplaced"
  // The text.
  | "not_utf8"
  | "character_forbidden"
  | "yaml_syntax"
  | "yaml_feature"
  | "yaml_too_deep"
  | "key_duplicate"
  | "key_not_text"
  | "file_empty"
  // Files of secrets.
  | "secret_plaintext"
  | "secrets_unusable"
  | "secrets_unknown"
  // The content.
  | "version_unsupported"
  | "key_unknown"
  | "key_missing"
  | "type_wrong"
  | "value_null"
  | "value_empty"
  | "value_invalid"
  | "provider_unknown"
  | "issuer_unknown"
  | "owner_unknown"
  | "connection_unknown"
  | "audience_shared"
  | "grant_unknown"
  | "grant_duplicate"
  | "grant_conflict"
  | "subject_too_long"
  | "rule_duplicate"
  | "boundary_duplicate"
  | "allow_unconstrained"
  | "gap_unfillable"
  | "host_mismatch"
  | "ttl_too_short"

/** A place in a file: 1-based, columns in UTF-16 code units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A fault at one place of one file; lines and columns are 1-based. */
export function fault(file: string, at: Position, code: FaultCode, message: string): PolicyFault {
  return { file: visible(file), line: at.line, column: at.column, code, message: visible(message) }
}

/**
 * Escapes invisible and control characters, so that the text stays on one line.
 *
 * Faults show text from pull requests that have not been reviewed. Names of files and keys can contain line breaks and
 * escape sequences, and a check prints them to a terminal, or to a log that reads some lines as commands.
 */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

/** The position of faults that concern a whole file. */
export const FILE_START: Position = { line: 1, column: 1 }

/** Shows a value that the policy author wrote: quoted, on one line, at most 60 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text)
}

/** The known name that is most similar to a misspelled one; null when none is similar enough. */
export function nearest(name: string, known: Iterable<string>): string | null {
  let best: string | null = null
  // Up to a third of the letters may be wrong, and always at least one.
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue
    const distance = editDistance(name.toLowerCase().replaceAll("-", "_"), candidate.toLowerCase().replaceAll("-", "_"))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** ` Did you mean "x"?`, or an empty text. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const meant = name.length > 64 ? null : nearest(name, known)
  return meant === null ? "" : ` Did you mean ${quote(meant)}?`
}

/** The number of insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from.charAt(i - 1) === to.charAt(j - 1)
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1))
      const swapped =
        i > 1 && j > 1 && from.charAt(i - 1) === to.charAt(j - 2) && from.charAt(i - 2) === to.charAt(j - 1)
      if (swapped) cost = Math.min(cost, (beforePrevious[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    beforePrevious = previous
    previous = row
  }
  return previous[to.length] ?? 0
}
