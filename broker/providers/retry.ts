import { BrokerError } from "../core/errors.ts"
import type { CallIo } from "./provider.ts"

const FIRST_DELAY_MS = 200
const MAX_DELAY_MS = 3_000
const MAX_ATTEMPTS = 5

/** Codes of transient failures: the same call may succeed a moment later. A refusal is final. */
const TRANSIENT: ReadonlySet<string> = new Set(["provider_throttled", "provider_unavailable"])

/**
 * Retries a call after transient failures, with full jitter, as long as time remains. Only for calls that are safe to
 * repeat according to the vendor.
 *
 * @throws {BrokerError} the last failure
 */
export async function retryTransient<Value>(io: CallIo, call: () => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      const isTransient = error instanceof BrokerError && TRANSIENT.has(error.code)
      // Full jitter (a random share of the growing limit) prevents many jobs from retrying at the same moment.
      const delay = Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt)
      if (!isTransient || attempt === MAX_ATTEMPTS || delay >= io.remainingMs()) throw error
      await io.sleep(delay)
    }
  }
}
