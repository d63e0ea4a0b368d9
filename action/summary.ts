import type { Credential } from "./answer.ts"
import { forMarkdown } from "./escape.ts"
import { shortened } from "./lifetime.ts"
import { listed } from "./words.ts"

/** The runner accepts at most 1 MiB of summary per step and drops a longer one completely. */
const MAX_SUMMARY_CHARACTERS = 500_000

/**
 * Lists what was granted: until when, how it ends, and in which variables, outputs and files. Contains no value.
 * @param places where the values of each grant arrive
 */
export function grantedSummary(
  credentials: readonly Credential[],
  places: ReadonlyMap<string, readonly string[]>,
  delivered: { readonly isForCommand: boolean; readonly isKept: boolean; readonly ttl: string | undefined },
): string {
  const rows = credentials.map((credential) => [
    forMarkdown(credential.grant),
    forMarkdown(credential.provider),
    untilOf(credential, delivered.ttl),
    endOf(credential, delivered.isKept ? null : delivered.isForCommand ? "command" : "job"),
    forMarkdown((places.get(credential.grant) ?? []).join(", ")),
  ])
  const grants = credentials.map(({ grant }) => forMarkdown(grant))
  return withinSizeLimit([
    `### This job got ${listed(grants)}`,
    "",
    ...table(["grant", "provider", "until", "how it ends", "delivered as"], rows),
  ])
}

function untilOf(credential: Credential, ttl: string | undefined): string {
  if (credential.expiresAt === null) return "does not expire"
  const limit = shortened(credential, ttl)
  return `${forMarkdown(credential.expiresAt)}${limit === null ? "" : ` (the policy allows ${forMarkdown(limit)})`}`
}

/** `holder`: with whose end the credential is revoked; null when the lease is kept. */
function endOf({ revocation, expiresAt }: Credential, holder: "command" | "job" | null): string {
  if (revocation === "revocable" && holder !== null) return `revoked when the ${holder} ends`
  if (revocation === "revocable") return "kept after the job, and revoked when the lease is over"
  return expiresAt === null ? "stays valid until it is changed in its store" : "expires by itself"
}

/** A table in Markdown. Its cells are Markdown already. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`)
}

/** Cuts at the end of a line, so that every table row and character reference stays complete. */
export function withinSizeLimit(lines: readonly string[]): string {
  let length = 0
  const end = lines.findIndex((line) => {
    length += line.length + 1
    return length > MAX_SUMMARY_CHARACTERS
  })
  return [...(end === -1 ? lines : [...lines.slice(0, end), "", "*The rest is left out.*"]), ""].join("\n")
}
