/** A refusal without the caller's own repository in it: what is left must be the same for every caller. */
export function withoutOwnName(detail: string): string {
  return detail
    .replace(/to \S+ \(repository_id "[0-9]+"\)/, "to <repository>")
    .replace(/in the folder \S+\/ /, "in the folder <repository> ")
}
