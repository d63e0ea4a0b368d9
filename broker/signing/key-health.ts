import { BrokerError } from "../core/errors.ts"
import type { Clock } from "../ports/clock.ts"
import type { Health, HealthCheck } from "../ports/health.ts"
import type { KeyRing } from "../ports/key-ring.ts"
import type { Log } from "../ports/log.ts"
import type { Sealer } from "./sealer.ts"
import { sealedAs } from "./signing-key.ts"

/** How long an answer is reused, in milliseconds: the route is public, and each look reads the key ring. */
const FRESH_MS = 10_000

/**
 * Whether the broker can use its signing keys: the ring can be read, and its active and its next key open with this broker's
 * key and deployment. It makes no key and imports none, so a look costs one read and a decryption or two. An empty ring is `ok`:
 * the first exchange makes a key.
 *
 * Without this check, a broker with a replaced `DAYPASS_KEK` or a changed `DAYPASS_URL` looked healthy and refused everything.
 */
export function createKeyHealth(ports: { keyRing: KeyRing; sealer: Sealer; clock: Clock; log: Log }): HealthCheck {
  const { keyRing, sealer, clock, log } = ports
  // Holds values, never a promise: on workerd one request must not await the I/O of another.
  let last: { readonly health: Health; readonly at: number } | undefined

  async function finding(): Promise<Finding> {
    try {
      const { keys } = await keyRing.read()
      // The next one, too: it is to sign in a day.
      for (const key of keys.filter(({ retiredAt }) => retiredAt === null)) {
        await sealer.open(key.sealedPrivateKey, sealedAs(key.kid))
      }
      if (!sealer.hasPrevious) return { reason: null }
      const left = keys.filter(({ sealedPrivateKey }) => sealer.sealedUnder(sealedPrivateKey) === "previous").length
      return { reason: null, note: `${HAS_PREVIOUS}: ${left} signing keys are sealed under it. ${COUNT_THE_REST}` }
    } catch (error) {
      if (!(error instanceof BrokerError)) return { reason: "The signing keys cannot be read: the storage failed." }
      const unread = error.code === "ledger_unavailable"
      return { reason: unread ? `The signing keys cannot be read: ${error.detail}.` : error.detail }
    }
  }

  return {
    part: "keys",
    async look() {
      if (last !== undefined && clock.elapsed() - last.at < FRESH_MS) return last.health
      const { reason: found, note } = await finding()
      const before = last?.health
      const health =
        found === null && note !== undefined ? { state: "ok" as const, note } : healthOf(found, before, clock)
      // Once for each change, and not with every look.
      if (found !== null && health !== before) log({ event: "keys.unusable", detail: found })
      if (found === null && before !== undefined && before.state !== "ok") {
        log({ event: "keys.usable", detail: "the signing keys can be used again" })
      }
      last = { health, at: clock.elapsed() }
      return health
    },
  }
}

const HAS_PREVIOUS = "DAYPASS_KEK_PREVIOUS is set"
const COUNT_THE_REST = "daypass keys list tells whether anything else is"

/** Why the keys cannot be used, and what is to be known of keys that can be. */
interface Finding {
  readonly reason: string | null
  readonly note?: string
}

function healthOf(reason: string | null, before: Health | undefined, clock: Clock): Health {
  if (reason === null) return { state: "ok" }
  const isFailing = before !== undefined && before.state !== "ok"
  if (isFailing && before.reason === reason) return before
  return { state: "unavailable", reason, since: isFailing ? before.since : clock.now().toISOString() }
}
