import type { DueLedger, NodeStore } from "../adapters/node/ledgers.ts"
import type { Broker } from "../exchange/broker.ts"
import { sweep } from "../exchange/sweep.ts"
import { atMost } from "../providers/at-most.ts"

const SWEEP_EVERY_MS = 15_000
const LEDGERS_PER_SWEEP = 100
/** A vendor that does not answer holds up its own ledgers, and not everybody's. */
const LEDGERS_AT_ONCE = 8

/** Ends leases whose time has come, every few seconds, one sweep at a time. */
export function startSweeping(store: NodeStore, broker: Broker): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(() => sweepOnce(store, broker))
  }, SWEEP_EVERY_MS)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

async function sweepOnce(store: NodeStore, broker: Broker): Promise<void> {
  try {
    const due = await store.due(broker.clock.now().getTime(), LEDGERS_PER_SWEEP)
    await atMost(LEDGERS_AT_ONCE, due, (target) => sweepLedger(target, broker))
  } catch {
    failed(broker)
  }
}

/** One ledger that cannot be swept must not keep those behind it waiting: it is the longest due, and would be for ever. */
async function sweepLedger(target: DueLedger, broker: Broker): Promise<void> {
  try {
    const leases = await sweep(target, broker)
    if (leases > 0)
      broker.log({ event: "leases.swept", detail: `${leases} leases of repository ${target.repositoryId}` })
  } catch {
    failed(broker)
  }
}

/** What is due stays due: the next sweep finds it again. */
const failed = (broker: Broker) =>
  broker.log({
    event: "sweep.failed",
    detail: "leases that are due could not all be ended; the next sweep tries again",
  })
