import { reasonOf } from "../core/reason-of.ts"
import type { Broker } from "../exchange/broker.ts"
import { Follower, type FollowerParts } from "../operate/follow.ts"
import type { OperateStore } from "../ports/operate-store.ts"
import { rest, threadMs } from "./node-rest.ts"

/** How far what follows the record is behind it, at most, while there is time for it. */
const LOOK_EVERY_MS = 1000
/** Batches between two looks at which ledgers have grown. */
const BATCHES_PER_ROUND = 20

/** Follows the ledgers from now on, beside everything else that this process does. */
export function startFollowing(
  store: OperateStore,
  readers: Pick<FollowerParts, "readers" | "changing" | "archive">,
  broker: Pick<Broker, "ledgers" | "clock" | "log">,
): { stop(): Promise<void> } {
  const follower = new Follower({ ...broker, store: store.places, ...readers })
  let isStopped = false
  let running: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined
  let isFailing = false

  const follow = async () => {
    if (!(await store.leads())) return
    let goesOn = true
    while (goesOn && !isStopped) {
      let begun = threadMs()
      const afterBatch = async () => {
        await rest(begun, threadMs() - begun)
        begun = threadMs()
      }
      await store.lookForNew()
      goesOn = (await follower.round(BATCHES_PER_ROUND, afterBatch)).goesOn
      if (goesOn) await afterBatch()
    }
    isFailing = false
  }
  const begin = () => {
    running = follow()
      .catch((error: unknown) => {
        // Told once, and in the broker's health: the next look tries again.
        if (!isFailing)
          broker.log({ event: "follow.failed", detail: `the ledgers are not followed: ${reasonOf(error)}` })
        isFailing = true
      })
      .then(() => {
        if (!isStopped) timer = setTimeout(begin, LOOK_EVERY_MS).unref()
      })
  }
  begin()
  return {
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}
