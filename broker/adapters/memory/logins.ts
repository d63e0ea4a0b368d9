import type { Clock } from "../../ports/clock.ts"
import type { Login, Logins } from "../../ports/logins.ts"
import { createBoundedCache } from "./bounded-cache.ts"

const MAX_LOGINS = 1_000
/** Longer than one mint may take, so that a login does not expire while it is used. */
const MARGIN_MS = 60_000

/** Logins in this instance's memory: at most a thousand. A login is not used in its last minute. */
export function createLogins(clock: Clock): Logins {
  const logins = createBoundedCache<Login<unknown>>(MAX_LOGINS)
  return {
    get(key) {
      const login = logins.get(key)
      if (login === undefined) return undefined
      if (login.endsAt.getTime() - MARGIN_MS > clock.now().getTime()) return login
      logins.delete(key)
      return undefined
    },
    keep: (key, login) => logins.set(key, login),
    forget: (key) => logins.delete(key),
  }
}
