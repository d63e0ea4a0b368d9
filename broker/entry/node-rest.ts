import { performance } from "node:perf_hooks"

/**
 * Work in the background takes a tenth of the main thread's processor time while the thread is busy with other work for a fifth
 * of the time, and all that is left of it otherwise. Processor time, because on a busy machine the same work takes several times
 * as long.
 */
const OWN_SHARE = 0.1
const BUSY = 0.2
/** How long one look at how busy the thread is takes, as a share of the work before. */
const LOOK_SHARE = 0.2

/** Leaves the main thread to other work, after work that began at `begun` and costs `cost` milliseconds of it. */
export async function rest(begun: number, cost: number): Promise<void> {
  let utilization: number
  do {
    const before = performance.eventLoopUtilization()
    await sleep(Math.max(1, cost * LOOK_SHARE))
    utilization = performance.eventLoopUtilization(before).utilization
  } while (utilization > BUSY && threadMs() - begun < cost / OWN_SHARE)
}

/** Processor time of the main thread, in milliseconds. */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
