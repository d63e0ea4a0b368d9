import { sha256 } from "../../broker/adapters/node/sha256.ts"
import { chainRecord, chainStart } from "../../broker/core/audit-chain.ts"
import { ExportWriter } from "../../broker/core/audit-export.ts"
import type { AuditRecord } from "../../broker/core/audit-record.ts"
import type { Claims } from "../../broker/core/identity.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { identityIn } from "../../broker/issuers/families.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { loadPolicies } from "../../cli/policies.ts"
import github from "../vectors/claims/github-environment.json" with { type: "json" }
import { type RecordedRun, recordedRun } from "./recorded-run.ts"

/** The policies of a folder, as the command line loads them. */
export function loadedFolder(folder: string): PolicySet {
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string" || !loaded.result.ok) throw new Error(`${folder} does not load`)
  return loaded.result.value
}

/** A recorded run of a job of GitHub Actions: octo-org/octo-repo in Production, from main by a push, with `claims` on top. */
export function githubRun(
  set: PolicySet,
  claims: Readonly<Record<string, string | undefined>>,
  run: Omit<RecordedRun, "identity" | "providers">,
): AuditRecord {
  const all: Record<string, unknown> = { ...github, ...claims }
  for (const [name, value] of Object.entries(claims)) if (value === undefined) delete all[name]
  const issuer = [...set.organisation.issuers.values()].find(({ url }) => url === all["iss"])
  const identity = issuer && identityIn(all as Claims, issuer)
  if (!identity?.ok) throw new Error(identity?.fault ?? "no such issuer")
  return recordedRun(set, { ...run, identity: identity.value, providers: PROVIDERS })
}

/** An export of these records: a chain for each unit, in their order. Records of the broker itself go to `unit`. */
export function trailOf(
  records: readonly AuditRecord[],
  unit = { issuer: String(github.iss), unit_id: github.repository_id },
): string {
  const writer = new ExportWriter()
  const nameOf = ({ identity }: AuditRecord) =>
    identity ? { issuer: identity.issuer, unit_id: identity.unit_id } : unit
  const ledgers = new Map(records.map((record) => [JSON.stringify(nameOf(record)), nameOf(record)]))
  const lines = [...ledgers].flatMap(([key, name]) => {
    let head = { seq: 0, chain: chainStart(name, sha256) }
    const own = records.filter((record) => JSON.stringify(nameOf(record)) === key)
    const written = own.map((record) => {
      const link = chainRecord(head.chain, { ...record, seq: head.seq + 1 }, sha256)
      if (!link.ok) throw new Error(link.fault)
      head = { seq: head.seq + 1, chain: link.value.chain }
      return writer.record(link.value)
    })
    return [writer.ledger(name), ...written, writer.head(head)]
  })
  return [...lines, writer.end()].map((line) => `${line}\n`).join("")
}
