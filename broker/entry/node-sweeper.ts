import { reasonOf } from "../core/reason-of.ts"
import type { Broker } from "../exchange/broker.ts"
import { Sweep } from "../exchange/sweep.ts"
import type { DueLedger, NodeStore } from "../ports/node-store.ts"
import type { ClockWatch } from "./clock-watch.ts"
import { rest, threadMs } from "./node-rest.ts"
import type { OverdueWatch } from "./overdue-watch.ts"

const SWEEP_EVERY_MS = 15_000
/** While leases wait for a busy vendor: as much as its queue holds. */
const SWEEP_AGAIN_MS = 1000

/** Ledgers of one round. All of them have their turn before one has its next. */
const LEDGERS_PER_ROUND = 1000
/**
 * A ledger's first turn is short, and it has it together with others, in one transaction. If it is still due, its further
 * turns are long, and it has them alone. So 10,000 ledgers with one lease each need few flushes, and no transaction is long.
 */
const LEDGERS_AT_ONCE = 16
const FIRST_TURN = 4
const FURTHER_TURN = 100

/** What a revocation costs all threads, beside its turn: its handle, its call to the vendor and its record. Measured. */
const REVOCATION_COST_MS = 0.5

/**
 * Ends due leases at once, because they may have waited for this start, and then every few seconds, one sweep at a time. A
 * sweep goes on until nothing is due. `soon` does not wait for the next one.
 */
export function startSweeping(
  store: NodeStore,
  broker: Broker,
  clock: Pick<ClockWatch, "tick">,
  overdue: Pick<OverdueWatch, "tick">,
): { soon(): void; stop(): Promise<void> } {
  const sweep = new Sweep(broker)
  let isStopped = false
  let running: Promise<void> | null = null
  let again: NodeJS.Timeout | undefined

  const begin = () => {
    running ??= sweepAll(store, broker, sweep, () => isStopped).then(() => {
      running = null
      clearTimeout(again)
      if (!isStopped && sweep.hasPostponed()) again = setTimeout(begin, SWEEP_AGAIN_MS).unref()
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
    soon: begin,
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
    const begun = threadMs()
    const revoking = await Promise.all(targets.map((target) => visit(target, limit)))
    await rest(begun, threadMs() - begun + REVOCATION_COST_MS * revoking.reduce((sum, one) => sum + one, 0))
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

const idOf = ({ issuerUrl, unitId }: DueLedger) => `${issuerUrl} ${unitId}`

/** Leases stay due, so the next sweep finds them again. Of a foreign error, only its class is told. */
function tellFailure(what: string, error: unknown, broker: Broker, target?: DueLedger): void {
  broker.log({
    event: "sweep.failed",
    detail: `${what}; the next sweep tries again: ${reasonOf(error)}`,
    ...(target === undefined ? {} : { issuer: target.issuerUrl, unit_id: target.unitId }),
  })
}
