import type { Login } from "../ports/logins.ts"

/** Runs work as soon as one of its places is free, in the order of the calls. */
export type Limit = <Value>(work: () => Promise<Value>) => Promise<Value>

/** Places for `atOnce` pieces of work. */
export function createLimit(atOnce: number): Limit {
  let free = atOnce
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      // The place goes to the one that has waited longest, so that a new call cannot overtake it.
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}

/** What the grants of one call share, and no other call may: on workerd, one request must not await another's work. */
export interface OneCall {
  /** For each credential that is minted or revoked: its window of time begins when it has a place. */
  readonly limit: Limit
  /** Key -> a login that another grant is making. */
  readonly making: Map<string, Promise<Login<unknown>>>
}
