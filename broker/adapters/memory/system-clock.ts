import type { Clock } from "../../ports/clock.ts"

/** The machine's clocks: the wall clock, and the monotonic one. */
export const systemClock: Clock = {
  now: () => new Date(),
  elapsed: () => Math.floor(performance.now()),
}
