import { performance } from "node:perf_hooks"
import type { DueLedger, NodeStore } from "../adapters/node/ledgers.ts"
import { BrokerError } from "../core/errors.ts"
import type { Broker } from "../exchange/broker.ts"
import { Sweep } from "../exchange/sweep.ts"
import type { ClockWatch } from "./clock-watch.ts"
import type { OverdueWatch } from "./overdue-watch.ts"

const SWEEP_EVERY_MS = 15_000
/** The next sweep begins earlier for leases that wait for a busy vendor, but no earlier than this. */
const SWEEP_AGAIN_MS = 1000

/** Ledgers of one round. All of them have their turn before one has its next. */
const LEDGERS_PER_ROUND = 1000
/**
 * A ledger's first turn is short, and it has it together with others, in one transaction. If it is still due, its further
 * turns are long, and it has them alone. So 10,000 ledgers with one lease each need few flushes, and no transaction is long.
 */
const LEDGERS_AT_ONCE = 16
const FIRST_TURN = 4
const FURTHER_TURN = 64

/**
 * While the event loop is more than half busy with other work, the sweep takes a tenth of its time. An idle broker gives it all
 * but the short looks at how busy it is.
 */
const BUSY = 0.5
const RESTS_WHEN_BUSY = 9
const LOOK_SHARE = 0.2
/** What a revocation costs the event loop, beside its turn: its call to the vendor and its record. Measured. */
const REVOCATION_COST_MS = 0.5

/**
 * Ends due leases at once, because they may have waited for this start, and then every few seconds, one sweep at a time. A
 * sweep goes on until nothing is due.
 */
export function startSweeping(
  store: NodeStore,
  broker: Broker,
  clock: Pick<ClockWatch, "tick">,
  overdue: Pick<OverdueWatch, "tick">,
): { stop(): Promise<void> } {
  const sweep = new Sweep(broker)
  let isStopped = false
  let running: Promise<void> | null = null
  let again: NodeJS.Timeout | undefined

  const begin = () => {
    running ??= sweepAll(store, broker, sweep, () => isStopped).then(() => {
      running = null
      const next = sweep.nextPlaceMs()
      clearTimeout(again)
      if (!isStopped && next < SWEEP_EVERY_MS) again = setTimeout(begin, Math.max(SWEEP_AGAIN_MS, next)).unref()
    })
  }
  const timer = setInterval(() => {
    clock.tick()
    void overdue.tick(broker.pace)
    begin()
  }, SWEEP_EVERY_MS)
  timer.unref()
  begin()
  return {
    async stop() {
      isStopped = true
      clearInterval(timer)
      clearTimeout(again)
      await running
      await sweep.ended().catch(() => {})
    },
  }
}

async function sweepAll(store: NodeStore, broker: Broker, sweep: Sweep, isStopped: () => boolean): Promise<void> {
  const seen = new Set<string>()
  const broken = new Set<string>()
  let swept = 0

  /** Catches its errors: a ledger that cannot be swept stays first in the list, and must not block the others for ever. */
  const visit = async (target: DueLedger, limit: number) => {
    seen.add(idOf(target))
    try {
      const { revoking, isWritten } = await sweep.visit(target, limit)
      // While nothing can be recorded, what was due stays due, and its provider is asked again by the next sweep.
      if (!isWritten) broken.add(idOf(target))
      swept += revoking
      return revoking
    } catch (error) {
      broken.add(idOf(target))
      tellFailure("due leases of a unit could not be ended", error, broker, target)
      return 0
    }
  }
  const turn = async (targets: readonly DueLedger[], limit: number) => {
    if (isStopped()) return
    const begun = performance.now()
    const revoking = await Promise.all(targets.map((target) => visit(target, limit)))
    await rest(performance.now() - begun + REVOCATION_COST_MS * revoking.reduce((sum, one) => sum + one, 0))
  }

  try {
    await payAll(broker)
    while (!isStopped()) {
      const due = await store.due(broker.clock.now().getTime(), LEDGERS_PER_ROUND)
      const round = due.filter((target) => !broken.has(idOf(target)))
      if (round.length === 0) break
      const further = round.filter((target) => seen.has(idOf(target)))
      const first = round.filter((target) => !seen.has(idOf(target)))
      for (let at = 0; at < first.length; at += LEDGERS_AT_ONCE) {
        await turn(first.slice(at, at + LEDGERS_AT_ONCE), FIRST_TURN)
      }
      for (const target of further) await turn([target], FURTHER_TURN)
    }
  } catch (error) {
    tellFailure("the ledgers with due leases could not be read", error, broker)
  }
  if (swept > 0) broker.log({ event: "leases.swept", detail: `${swept} leases of ${seen.size} units` })
}

/** Also records of leases that are not due: their jobs ended them while the ledger could not be written. */
async function payAll({ owed }: Broker): Promise<void> {
  for (let left = Number.POSITIVE_INFINITY; owed.size < left; ) {
    left = owed.size
    await owed.pay()
  }
}

/** Leaves the event loop to other work after a turn that took `cost` milliseconds of it. */
async function rest(cost: number): Promise<void> {
  const before = performance.eventLoopUtilization()
  const look = Math.max(1, cost * LOOK_SHARE)
  await sleep(look)
  const { utilization } = performance.eventLoopUtilization(before)
  if (utilization > BUSY) await sleep(Math.max(0, cost * RESTS_WHEN_BUSY - look))
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const idOf = ({ issuerUrl, unitId }: DueLedger) => `${issuerUrl} ${unitId}`

/** Leases stay due, so the next sweep finds them again. Of a foreign error, only its class is told. */
function tellFailure(what: string, error: unknown, broker: Broker, target?: DueLedger): void {
  const why = error instanceof BrokerError ? error.detail : error instanceof Error ? error.name : typeof error
  broker.log({
    event: "sweep.failed",
    detail: `${what}; the next sweep tries again: ${why}`,
    ...(target === undefined ? {} : { issuer: target.issuerUrl, unit_id: target.unitId }),
  })
}
