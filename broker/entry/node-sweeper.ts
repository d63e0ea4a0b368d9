import type { DueLedger, NodeStore } from "../adapters/node/ledgers.ts"
import { BrokerError } from "../core/errors.ts"
import type { Broker } from "../exchange/broker.ts"
import { sweep } from "../exchange/sweep.ts"
import { atMost } from "../providers/at-most.ts"
import type { ClockWatch } from "./clock-watch.ts"

const SWEEP_EVERY_MS = 15_000
const LEDGERS_PER_SWEEP = 100
/**
 * One sweep takes 50 leases of a ledger, and its jobs may open 1,200 in a minute: 300 every fifteen seconds. All ledgers that
 * are due have their turn before one has its next.
 */
const MOST_TURNS = 7
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
    let turn = await dueNow(store, broker)
    for (let turns = 1; turn.length > 0; turns++) {
      const ended = new Set<string>()
      await atMost(LEDGERS_AT_ONCE, turn, async (target) => {
        if (await sweepLedger(target, broker)) ended.add(idOf(target))
      })
      if (ended.size === 0 || turns === MOST_TURNS) return
      // While nothing can be recorded, what failed stays due, and its provider is asked again by the next sweep.
      if ((await store.health.look()).state === "unavailable") return
      turn = (await dueNow(store, broker)).filter((target) => ended.has(idOf(target)))
    }
  } catch (error) {
    tellFailure("the ledgers with due leases could not be read", error, broker)
  }
}

const dueNow = (store: NodeStore, broker: Broker) => store.due(broker.clock.now().getTime(), LEDGERS_PER_SWEEP)
const idOf = ({ issuerUrl, unitId }: DueLedger) => `${issuerUrl} ${unitId}`

/**
 * Returns whether leases were ended. Catches its errors: a ledger that cannot be swept stays first in the list, and must not
 * block the others for ever.
 */
async function sweepLedger(target: DueLedger, broker: Broker): Promise<boolean> {
  try {
    const leases = await sweep(target, broker)
    if (leases > 0) broker.log({ event: "leases.swept", detail: `${leases} leases of the unit ${target.unitId}` })
    return leases > 0
  } catch (error) {
    tellFailure("due leases of a unit could not be ended", error, broker, target)
    return false
  }
}

/** Leases stay due, so the next sweep finds them again. Of a foreign error, only its class is told. */
function tellFailure(what: string, error: unknown, broker: Broker, target?: DueLedger): void {
  const why = error instanceof BrokerError ? error.detail : error instanceof Error ? error.name : typeof error
  broker.log({
    event: "sweep.failed",
    detail: `${what}; the next sweep tries again: ${why}`,
    ...(target === undefined ? {} : { issuer: target.issuerUrl, unit_id: target.unitId }),
  })
}
