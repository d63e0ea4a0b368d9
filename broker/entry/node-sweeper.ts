import type { DueLedger, NodeStore } from "../adapters/node/ledgers.ts"
import { BrokerError } from "../core/errors.ts"
import type { Broker } from "../exchange/broker.ts"
import { sweep } from "../exchange/sweep.ts"
import { atMost } from "../providers/at-most.ts"
import type { ClockWatch } from "./clock-watch.ts"

const SWEEP_EVERY_MS = 15_000
const LEDGERS_PER_SWEEP = 100
/** Ledgers are swept in parallel, so that a vendor that does not answer delays only its own ledgers. */
const LEDGERS_AT_ONCE = 8

/** Ends due leases at once, because they may have waited for this start, and then every few seconds, one sweep at a time. */
export function startSweeping(
  store: NodeStore,
  broker: Broker,
  clock: Pick<ClockWatch, "tick">,
): { stop(): Promise<void> } {
  let running: Promise<void> = sweepOnce(store, broker)
  const timer = setInterval(() => {
    clock.tick()
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
  // Also of leases that are not due: their jobs ended them while the ledger could not be written.
  await broker.owed.pay()
  try {
    const due = await store.due(broker.clock.now().getTime(), LEDGERS_PER_SWEEP)
    await atMost(LEDGERS_AT_ONCE, due, (target) => sweepLedger(target, broker))
  } catch (error) {
    tellFailure("the ledgers with due leases could not be read", error, broker)
  }
}

/** Catches its errors: a ledger that cannot be swept stays first in the list, and must not block the others for ever. */
async function sweepLedger(target: DueLedger, broker: Broker): Promise<void> {
  try {
    const leases = await sweep(target, broker)
    if (leases > 0)
      broker.log({ event: "leases.swept", detail: `${leases} leases of repository ${target.repositoryId}` })
  } catch (error) {
    tellFailure("due leases of a repository could not be ended", error, broker, target)
  }
}

/** Leases stay due, so the next sweep finds them again. Of a foreign error, only its class is told. */
function tellFailure(what: string, error: unknown, broker: Broker, target?: DueLedger): void {
  const why = error instanceof BrokerError ? error.detail : error instanceof Error ? error.name : typeof error
  broker.log({
    event: "sweep.failed",
    detail: `${what}; the next sweep tries again: ${why}`,
    ...(target === undefined ? {} : { issuer: target.issuerUrl, repository_id: target.repositoryId }),
  })
}
