import type { Clock } from "../../ports/clock.ts"
import type { Login, Logins } from "../../ports/logins.ts"
import { createBoundedCache } from "./bounded-cache.ts"

const MAX_LOGINS = 1_000
/** Longer than one mint may take, so that a login does not expire while it is used. */
const MARGIN_MS = 60_000

/** `until` is on `Clock.elapsed()`. */
interface Kept {
  readonly login: Login<unknown>
  readonly until: number
}

/**
 * Logins in this instance's memory: at most a thousand. A login is not used in its last minute. The vendor says when it
 * ends by the wall clock. What is left of it is counted from `keep` on, so that a clock that is set back does not lengthen
 * it.
 */
export function createLogins(clock: Clock): Logins {
  const logins = createBoundedCache<Kept>(MAX_LOGINS)
  return {
    get(key) {
      const kept = logins.get(key)
      if (kept === undefined) return undefined
      if (clock.elapsed() < kept.until) return kept.login
      logins.delete(key)
      return undefined
    },
    keep(key, login) {
      const remainingMs = login.endsAt.getTime() - clock.now().getTime()
      logins.set(key, { login, until: clock.elapsed() + remainingMs - MARGIN_MS })
    },
    forget: (key) => logins.delete(key),
  }
}
