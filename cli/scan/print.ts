import { counted, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import type { CliIo } from "../io.ts"
import { titleOf } from "../secrets/kinds.ts"
import type { Remedies } from "../secrets/remedy.ts"
import { withoutSecretNames } from "./names.ts"
import { sarifOf } from "./sarif.ts"
import type { Searched } from "./scan-secrets.ts"
import { type Remedied, revokeFirst, whatOf } from "./words.ts"

export type ScanFormat = "text" | "json" | "sarif" | "github"

/** Prints what a search found: places, names and remedies, and no value in any format. */
export async function printSearched(given: Searched, remedies: Remedies, format: ScanFormat, io: CliIo): Promise<void> {
  const searched = await withoutSecretNames(given)
  const found = searched.hits.map((hit) => ({ hit, remedy: remedies.for(hit.rule, hit.name ?? null) }))
  if (format === "json") printJson(jsonOf(searched, found), io)
  else if (format === "sarif") printJson(sarifOf(found), io)
  else if (format === "github") await printForGitHub(searched, found, io)
  else for (const line of found.flatMap(linesOf)) io.out(inert(line))
  if (searched.hasMore) io.err("There are more secrets, which are not listed.")
  for (const { path, reason } of searched.unread) io.err(inert(`not searched: ${path} (${reason})`))
  const more = searched.unreadCount - searched.unread.length
  if (more > 0) io.err(`not searched: ${counted(more, "more place")}`)
  if (format === "text") {
    io.out(summaryOf(searched))
    if (found.length > 0)
      io.err(
        "If a value is not secret, write secretlint-disable-line into a comment on its line: then it is not reported.",
      )
  }
}

function linesOf({ hit, remedy }: Remedied): readonly string[] {
  const { path, line, column } = hit
  const place = [path, ...(line === undefined ? [] : [line]), ...(column === undefined ? [] : [column])].join(":")
  return [
    `${place}: ${whatOf(hit)}`,
    `  ${revokeFirst(hit)}`,
    `  ${remedy.advice}`,
    ...remedy.commands.map((command) => `    ${command}`),
    ...(remedy.policy === null ? [] : [`    ${remedy.policy}`]),
  ]
}

function summaryOf({ hits, hasMore, texts, binaries, links, bytes, unreadCount }: Searched): string {
  const found = hits.length === 0 ? "no secret" : `${hasMore ? "more than " : ""}${counted(hits.length, "secret")}`
  const not = [
    ...(binaries > 0 ? [counted(binaries, "binary file")] : []),
    ...(links > 0 ? [counted(links, "link")] : []),
    ...(unreadCount > 0 ? [counted(unreadCount, "other place")] : []),
  ]
  if (texts === null) return `${found} in the report.`
  const searched = `${found} in ${counted(texts, "text")} (${(bytes / 1_000_000).toFixed(1)} MB)`
  return `${searched}${not.length === 0 ? "" : `; not searched: ${not.join(", ")}`}.`
}

function jsonOf({ hasMore, unread, unreadCount, texts, binaries, links, bytes }: Searched, found: readonly Remedied[]) {
  return {
    secrets: found.map(({ hit, remedy }) => ({ ...hit, title: titleOf(hit.rule), first: revokeFirst(hit), remedy })),
    ...{ hasMore, unread, unreadCount, texts, binaries, links, bytes },
  }
}

async function printForGitHub(searched: Searched, found: readonly Remedied[], io: CliIo): Promise<void> {
  const findings = found.map(({ hit, remedy }) => ({
    severity: "error" as const,
    code: "secret_found",
    file: hit.path,
    line: hit.line ?? 1,
    column: hit.column ?? 1,
    message: [`${whatOf(hit)}.`, revokeFirst(hit), remedy.advice, remedy.commands.join(" | "), remedy.policy ?? ""]
      .filter((part) => part !== "")
      .join(" "),
  }))
  await printReport({ tool: "scan", folder: ".", findings, summary: summaryOf(searched) }, "github", io)
}
