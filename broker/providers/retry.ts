import { BrokerError } from "../core/errors.ts"
import type { ProviderIo } from "./provider.ts"

const FIRST_DELAY_MS = 200
const MAX_DELAY_MS = 3_000
const MAX_ATTEMPTS = 5

/** Codes after which the same call may succeed a moment later. A refusal is not among them: it is final. */
const PASSING: ReadonlySet<string> = new Set(["provider_throttled", "provider_unavailable"])

/**
 * Runs a call again while it fails of something that passes, with full jitter, as long as time remains. Only for calls
 * that the vendor says are safe to repeat.
 *
 * @throws {BrokerError} the last failure
 */
export async function retryPassing<Value>(io: ProviderIo, call: () => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      const passing = error instanceof BrokerError && PASSING.has(error.code)
      // Full jitter (a random share of the growing bound) keeps a crowd of jobs from coming back together.
      const delay = Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt)
      if (!passing || attempt === MAX_ATTEMPTS || delay >= io.remainingMs()) throw error
      await io.sleep(delay)
    }
  }
}
