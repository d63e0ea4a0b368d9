import type { CheckpointSource } from "../../ports/checkpoints.ts"
import type { Directory, LedgerHead } from "../../ports/directory.ts"
import type { FollowTotals } from "../../ports/followed.ts"
import type { Counts } from "../../ports/metrics.ts"
import type { OutboundDesk } from "../../ports/outbound.ts"
import type { RecordIndex } from "../../ports/record-index.ts"
import type { Namespace, Remote } from "./ledgers.ts"
import { type Answer, ask } from "./rpc.ts"

/** What the object sums up. */
interface Totals {
  /** Adds what an isolate has counted. */
  count(counts: Counts): Promise<void>
  /** What all isolates have handed over. */
  counted(): Promise<Counts>
  totals(): Promise<FollowTotals>
}

/** What the object does. It is of the operators' modules, which the object loads when it is first asked. */
export interface DirectoryWork extends Directory, RecordIndex, CheckpointSource, OutboundDesk, Totals {
  /** A ledger tells how far it is. Returns when the object must follow it, in Unix milliseconds. */
  report(heads: readonly LedgerHead[]): Promise<number>
  /** Reads what is new, as much as one alarm may. Returns when to go on, in Unix milliseconds; null: with the next report. */
  follow(): Promise<number | null>
}

export interface DirectoryMethods
  extends Remote<Directory, readonly []>,
    Remote<RecordIndex, readonly []>,
    Remote<CheckpointSource, readonly []>,
    Remote<OutboundDesk, readonly []>,
    Remote<Totals, readonly []> {
  report(heads: readonly LedgerHead[]): Promise<Answer<void>>
}

export const DIRECTORY_NAME = "directory"

/** The directory and the index of a deployment at the edge: one Durable Object. */
export function followedAt(namespace: Namespace<DirectoryMethods>): {
  readonly directory: Directory
  readonly index: RecordIndex
  counted(): Promise<Counts>
  totals(): Promise<FollowTotals>
  readonly checkpoints: CheckpointSource
  readonly outbound: OutboundDesk
} {
  // Each call makes a new stub, because a stub that failed once stays broken.
  const object = () => namespace.getByName(DIRECTORY_NAME)
  return {
    directory: {
      list: (page) => ask(() => object().list(page)),
      entry: (key) => ask(() => object().entry(key)),
    },
    index: {
      search: (query) => ask(() => object().search(query)),
      hours: (query) => ask(() => object().hours(query)),
      lastUse: (key) => ask(() => object().lastUse(key)),
    },
    counted: () => ask(() => object().counted()),
    totals: () => ask(() => object().totals()),
    checkpoints: {
      latest: () => ask(() => object().latest()),
      policy: () => ask(() => object().policy()),
      since: (old) => ask(() => object().since(old)),
      signReport: (sha256, at) => ask(() => object().signReport(sha256, at)),
      prove: (ledger, seq) => ask(() => object().prove({ issuerUrl: ledger.issuerUrl, unitId: ledger.unitId }, seq)),
    },
    outbound: {
      endpoints: () => ask(() => object().endpoints()),
      exports: () => ask(() => object().exports()),
      test: (endpoint) => ask(() => object().test(endpoint)),
    },
  }
}

/** Adds what an isolate has counted. @throws {BrokerError} `ledger_unavailable` */
export const countAt = (namespace: Namespace<DirectoryMethods>, counts: Counts): Promise<void> =>
  ask(() => namespace.getByName(DIRECTORY_NAME).count(counts))
