import type { Credential } from "./answer.ts"
import { forMarkdown } from "./escape.ts"
import { shortened } from "./lifetime.ts"

/** The runner accepts at most 1 MiB of summary per step and drops a longer one completely. */
const MAX_SUMMARY_CHARACTERS = 500_000

/** Lists what was granted: until when, how it ends, and in which variables and outputs. Contains no value. */
export function grantedSummary(
  credentials: readonly Credential[],
  delivered: {
    readonly toEnvironment: boolean
    readonly toOutputs: boolean
    readonly isForCommand?: boolean
    readonly ttl?: string | undefined
  },
): string {
  const rows = credentials.map((credential) => [
    forMarkdown(credential.grant),
    forMarkdown(credential.provider),
    untilOf(credential, delivered.ttl),
    endOf(credential, delivered.isForCommand ? "command" : "job"),
    forMarkdown(deliveredAs(credential, delivered).join(", ")),
  ])
  const grants = credentials.map(({ grant }) => forMarkdown(grant))
  return withinSizeLimit([
    `### This job got ${grants.length < 2 ? grants.join("") : `${grants.slice(0, -1).join(", ")} and ${grants.at(-1)}`}`,
    "",
    ...table(["grant", "provider", "until", "how it ends", "delivered as"], rows),
  ])
}

function untilOf(credential: Credential, ttl: string | undefined): string {
  if (credential.expiresAt === null) return "does not expire"
  const limit = shortened(credential, ttl)
  return `${forMarkdown(credential.expiresAt)}${limit === null ? "" : ` (the policy allows ${forMarkdown(limit)})`}`
}

function endOf({ revocation, expiresAt }: Credential, holder: "command" | "job"): string {
  if (revocation === "revocable") return `revoked when the ${holder} ends`
  return expiresAt === null ? "stays valid until it is changed in its store" : "expires by itself"
}

function deliveredAs(credential: Credential, delivered: { toEnvironment: boolean; toOutputs: boolean }): string[] {
  return credential.values.flatMap(({ name, env }) => [
    ...(delivered.toEnvironment && env !== undefined ? [env] : []),
    ...(delivered.toOutputs ? [`outputs.${credential.grant}-${name}`] : []),
  ])
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
