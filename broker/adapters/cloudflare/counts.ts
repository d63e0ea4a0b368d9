import type { Counts } from "../../ports/metrics.ts"
import type { MemoryMetrics } from "../memory/metrics.ts"

/** How often an isolate hands over what it has counted. */
const EVERY_MS = 10_000
/** After so long, the platform has ended a request that was to hand over, without a word. */
const LOST_AFTER_MS = 60_000

export interface CountsHandover {
  /** Hands over what this isolate has counted so far. @throws what `send` throws, with nothing lost */
  now(): Promise<void>
  /** The same for `waitUntil`: at once, or when the last time is ten seconds ago. Never rejects. */
  soon(): Promise<void>
}

/**
 * Hands the counts of an isolate to one object, so that they are counted together: isolates come and go, and a scraper sees
 * one of them. What an isolate has not handed over when the platform ends it is lost; a call whose answer is lost may count twice.
 */
export function createCountsHandover(
  metrics: Pick<MemoryMetrics, "take" | "giveBack">,
  send: (counts: Counts) => Promise<void>,
): CountsHandover {
  let sentAt = 0
  let begunAt: number | null = null

  async function now(): Promise<void> {
    sentAt = Date.now()
    const taken = metrics.take()
    if (Object.keys(taken.counters).length === 0) return
    try {
      await send(taken)
    } catch (error) {
      metrics.giveBack(taken)
      throw error
    }
  }

  return {
    now,
    async soon() {
      const at = Date.now()
      if (begunAt !== null && at - begunAt < LOST_AFTER_MS) return
      begunAt = at
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, sentAt + EVERY_MS - at)))
      await now().catch(() => {})
      begunAt = null
    },
  }
}
