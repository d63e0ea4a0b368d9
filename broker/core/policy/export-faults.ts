import { parseWith } from "../parse-with.ts"
import { didYouMean, fault, quote } from "./faults.ts"
import type { ConnectionReading, PolicyFault } from "./model.ts"
import type { OrganisationFile } from "./schema.ts"
import { type ExportTarget, isArchive } from "./schema-outbound.ts"
import { nodeAt, type YamlNode } from "./yaml.ts"

/**
 * Faults of exports that name a connection. The broker writes with a grant of that connection, so the grant must be one that
 * the connection's provider would accept from a policy: a role of a listed account.
 */
export function exportFaults(
  file: string,
  root: YamlNode,
  targets: Readonly<Record<string, ExportTarget>>,
  connections: ReadonlyMap<string, ConnectionReading>,
): PolicyFault[] {
  return Object.entries(targets).flatMap(([name, target]) => {
    if (target.kind !== "s3") return []
    const at = (key: string) => nodeAt(root, ["exports", name, key]).at
    const reading = connections.get(target.connection)
    if (reading === undefined) {
      const hint = didYouMean(target.connection, connections.keys())
      const message = `There is no connection ${quote(target.connection)}.${hint}`
      return [fault(file, at("connection"), "connection_unknown", message)]
    }
    const { provider, connection } = reading
    // Faults of the connection itself are reported at its own place.
    if (provider === null || connection === null) return []
    if (connection.provider !== "aws") {
      const message = `The connection ${quote(target.connection)} is of provider ${connection.provider}: an export to S3 needs one of provider aws.`
      return [fault(file, at("connection"), "value_invalid", message)]
    }
    const grant = parseWith(provider.grant, { role: target.role })
    const against = grant.success
      ? (provider.check?.(grant.data, connection.settings) ?? null)
      : "role must be the ARN of a role, such as arn:aws:iam::111122223333:role/daypass-export"
    return against === null
      ? []
      : [fault(file, at("role"), "grant_conflict", `The export does not fit its connection: ${against}.`)]
  })
}

/** An archive needs an export: what leaves the ledgers must be somewhere, in a form that can be verified. */
export function archiveFaults(
  file: string,
  root: YamlNode,
  { archive, exports = {} }: Pick<OrganisationFile, "archive" | "exports">,
): PolicyFault[] {
  if (archive === undefined || Object.values(exports).some(isArchive)) return []
  const message =
    "Records can leave the ledgers only after an export has them: name one under exports, of kind folder, s3 or r2 and of format jsonl."
  return [fault(file, nodeAt(root, ["archive"]).at, "value_invalid", message)]
}
