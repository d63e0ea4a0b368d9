import type { Sha256 } from "../core/audit-chain.ts"
import type { Broker } from "../exchange/broker.ts"
import { createAlarms } from "../operate/alarms.ts"
import { Archive } from "../operate/archive.ts"
import type { Checkpoints } from "../operate/checkpoints.ts"
import type { FollowerParts } from "../operate/follow.ts"
import type { Documents } from "../ports/documents.ts"
import type { FollowTotals } from "../ports/followed.ts"
import type { OperateStore } from "../ports/operate-store.ts"
import type { OutboundDesk } from "../ports/outbound.ts"
import { keepCheckpoints } from "./checkpoints.ts"
import { createOutbound, type OutboundRuntime } from "./outbound.ts"

/** What the runtimes bring to it. */
export interface FollowingParts extends OutboundRuntime {
  readonly broker: Broker
  readonly documents: Documents
  readonly store: Pick<OperateStore, "directory" | "places" | "indexReader" | "trees" | "outbound">
  /** The runtime's fastest; left out: one that runs everywhere. */
  readonly sha256?: Sha256
  /** Begins to revoke what is due now, where no ledger does it by itself. */
  sweepSoon?(): void
}

export interface Following {
  /** The broker, whose health also tells of what follows it. */
  readonly broker: Broker
  readonly checkpoints: Checkpoints
  readonly outbound: OutboundDesk
  /** For the follower. */
  readonly work: Pick<FollowerParts, "readers" | "changing" | "archive">
  /** How far all of it is. */
  totals(): Promise<FollowTotals>
}

/**
 * All that follows the record, on every runtime: the search, the alarms, the checkpoints, the alerts, the exports, and the
 * archive. Each gets the records of each ledger a moment after they were made, and no exchange waits for it.
 */
export function createFollowing({
  broker,
  documents,
  store,
  sha256,
  sweepSoon,
  ...runtime
}: FollowingParts): Following {
  const { directory, places, indexReader, trees } = store
  const keeping = keepCheckpoints({
    ...{ broker, documents, trees, marks: store.outbound.marks },
    ...(sha256 && { sha256 }),
  })
  const watched = { ...broker, health: [...broker.health, ...keeping.health] }
  const outbound = createOutbound(watched, store.outbound, runtime)
  const alarms = createAlarms({ broker, documents, directory, ...(sweepSoon && { sweepSoon }) })
  const readers = [indexReader, alarms, keeping.log, ...outbound.readers]
  const changing = () => outbound.exports.readers()
  return {
    broker: { ...watched, health: [...watched.health, outbound.alerts, outbound.exports] },
    checkpoints: keeping.checkpoints,
    outbound: outbound.desk,
    work: { readers, changing, archive: new Archive({ broker, directory, places, trees }) },
    totals: async () => places.totals([...readers, ...(await changing())].map(({ name }) => name)),
  }
}
