import type { Clock } from "../ports/clock.ts"
import type { Health, HealthCheck } from "../ports/health.ts"
import type { Log } from "../ports/log.ts"

/** A difference that no clock reaches by running fast or slow between two looks. */
const JUMP_MS = 30_000
/** How far behind the ledger's latest time a clock may stand: machines that took turns differ by less. */
const BEHIND_MS = 5 * 60_000
/** How long a jump is shown after it happened. */
const SHOWN_MS = 60 * 60_000

export interface ClockWatch extends HealthCheck {
  /** Compares the clocks, and logs a jump once. Called every few seconds. */
  tick(): void
}

/**
 * Watches the machine's wall clock, which decides whether tokens and credentials have ended. A jump is seen against the
 * monotonic clock; a clock that was wrong before the start is seen against the ledger.
 *
 * @param latestTime the latest time that the ledger has seen, in Unix milliseconds; 0 when it has seen none
 */
export function createClockWatch(clock: Clock, latestTime: number, log: Log): ClockWatch {
  let latest = latestTime
  let last = { wall: clock.now().getTime(), elapsed: clock.elapsed() }
  let jump: { readonly at: string; readonly elapsed: number; readonly seconds: number } | null = null
  let behindSince: string | null = null

  const tick = () => {
    const now = clock.now()
    const wall = now.getTime()
    const elapsed = clock.elapsed()
    const difference = wall - last.wall - (elapsed - last.elapsed)
    last = { wall, elapsed }
    if (Math.abs(difference) >= JUMP_MS) {
      jump = { at: now.toISOString(), elapsed, seconds: Math.round(difference / 1000) }
      log({ event: "clock.jumped", detail: jumped(jump.seconds) })
    }
    const isBehind = wall < latest - BEHIND_MS
    if (isBehind && behindSince === null) log({ event: "clock.behind", detail: behind(latest - wall) })
    behindSince = isBehind ? (behindSince ?? now.toISOString()) : null
    latest = Math.max(latest, wall)
  }
  tick()

  return {
    part: "clock",
    tick,
    async look(): Promise<Health> {
      tick()
      if (behindSince !== null)
        return { state: "degraded", reason: behind(latest - clock.now().getTime()), since: behindSince }
      if (jump !== null && clock.elapsed() - jump.elapsed < SHOWN_MS)
        return { state: "degraded", reason: jumped(jump.seconds), since: jump.at }
      return { state: "ok" }
    },
  }
}

const jumped = (seconds: number) =>
  `the machine's clock was set ${Math.abs(seconds)} s ${seconds > 0 ? "forward" : "back"} while the broker ran: check its time synchronisation`

const behind = (milliseconds: number) =>
  `the machine's clock stands ${Math.round(milliseconds / 60_000)} minutes behind the latest time that the ledger has seen: it is behind now, or was ahead before. Check its time synchronisation`
