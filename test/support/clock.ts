import type { Clock } from "../../broker/ports/clock.ts"

/** A clock for tests in which no time jumps: what has elapsed follows the wall clock. */
export const clockOf = (now: () => Date): Clock => ({ now, elapsed: () => now().getTime() })

/** A clock that a test moves. Time passes on both of its readings; only a jump sets the wall clock alone. */
export class TestClock implements Clock {
  #elapsed = 0
  #wall: number

  constructor(now: number) {
    this.#wall = now
  }

  now(): Date {
    return new Date(this.#wall)
  }

  elapsed(): number {
    return this.#elapsed
  }

  advance(seconds: number): void {
    this.#wall += seconds * 1000
    this.#elapsed += seconds * 1000
  }

  /** Somebody sets the wall clock: forward, or back with a negative number. */
  jump(seconds: number): void {
    this.#wall += seconds * 1000
  }
}
