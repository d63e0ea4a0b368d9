import { runJob } from "./job.ts"

/** Of an exported record, what these tests read. */
export interface Exported {
  readonly event: string
  readonly lease?: string
  readonly token_digest?: string
}

/** The life of a lease that was revoked. */
export const WHOLE_LEASE = ["exchange.minted", "lease.revoking", "lease.closed"]

/** The records of a broker on Node with a text as one of their values, oldest first. */
export async function recordsWith(text: string, { data }: { readonly data: string }): Promise<readonly Exported[]> {
  const { out } = await runJob(["audit", "export", "--data", data])
  const lines = out.split("\n").filter((line) => line.includes(`"${text}"`))
  // Between the records of a ledger, there are lines about the ledger itself.
  return lines.flatMap((line) => (JSON.parse(line) as { readonly record?: Exported }).record ?? [])
}

/** The events of each lease, in the order in which the leases were opened. */
export function leasesIn(records: readonly Exported[]): readonly (readonly string[])[] {
  const ids = [...new Set(records.flatMap(({ lease }) => lease ?? []))]
  return ids.map((id) => records.filter(({ lease }) => lease === id).map(({ event }) => event))
}
