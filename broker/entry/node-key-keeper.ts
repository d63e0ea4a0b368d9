import { BrokerError } from "../core/errors.ts"
import { reasonOf } from "../core/reason-of.ts"
import type { Log } from "../ports/log.ts"

/** Nothing about keys is due in less than hours. */
const KEEP_EVERY_MS = 10 * 60_000

/**
 * Does what is due with the deployment's keys, at once and then every few minutes. A failure is logged, and tried again.
 *
 * @throws {BrokerError} `configuration_invalid` at the start alone: a stored key opens with none of the deployment's keys, so
 *   the broker must not start
 */
export async function startKeepingKeys(keep: () => Promise<void>, log: Log): Promise<{ stop(): Promise<void> }> {
  const attempt = async (isFirst: boolean) => {
    try {
      await keep()
    } catch (error) {
      if (isFirst && error instanceof BrokerError && error.code === "configuration_invalid") throw error
      log({ event: "keys.unkept", detail: `what is due with the signing keys is tried again: ${reasonOf(error)}` })
    }
  }
  await attempt(true)
  let running: Promise<void> | null = null
  const timer = setInterval(() => {
    running ??= attempt(false).finally(() => {
      running = null
    })
  }, KEEP_EVERY_MS)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
