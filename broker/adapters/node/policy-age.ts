import { formatDuration } from "../../core/duration.ts"
import { BrokerError } from "../../core/errors.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Health, HealthCheck } from "../../ports/health.ts"
import type { PolicyStatus } from "../../ports/policy-source.ts"

/** How long an older set is used by default, in seconds: time to correct a typo, and no more. */
export const MAX_STALE_SECONDS = 15 * 60

/** Why the set in force is not the folder's. `faults` counts those of a folder that was refused. */
export type Behind = { readonly why: "changing" } | { readonly why: "refused"; readonly faults: number }

/**
 * How long ago the set in force was last seen to be the folder's. Counted by the monotonic clock: a jump of the wall clock
 * neither keeps an old set in force nor refuses a good one.
 */
export interface PolicyAge extends HealthCheck {
  /** The set in force was the folder's at this moment, on `Clock.elapsed()`. */
  confirm(at: number): void
  /** The folder has something else. The age is counted on from the last confirmation. */
  fallBehind(behind: Behind): void
  /** Whether the last look found the folder's own set in force. */
  isCurrent(): boolean
  /** Whether nothing may be granted any more. */
  isOver(): boolean
  /** How much longer the set may be used, for people: `14m`, and `0s` when its time is over. */
  remaining(): string
  /** The member of the same name of `PolicyStatus`; empty while the set is the folder's. */
  stale(): Pick<PolicyStatus, "stale">
  /** @throws {BrokerError} `policy_unavailable` when the set is too old */
  requireUsable(): void
}

export function createPolicyAge(clock: Clock, maxStaleSeconds: number): PolicyAge {
  let confirmedAt = clock.elapsed()
  let confirmedTime = clock.now().toISOString()
  let behind: (Behind & { readonly since: string }) | null = null
  const limit = formatDuration(maxStaleSeconds)

  const leftSeconds = () => maxStaleSeconds - (clock.elapsed() - confirmedAt) / 1000
  const isOver = () => leftSeconds() < 0
  const remaining = () => {
    const seconds = Math.max(0, Math.floor(leftSeconds()))
    return formatDuration(seconds < 120 ? seconds : seconds - (seconds % 60))
  }
  const cause = () => {
    if (behind === null) return "The policy folder has not been looked at."
    if (behind.why === "changing") return "The policy folder has changed, and has not been still since."
    return `The policy folder has ${behind.faults} ${behind.faults === 1 ? "fault" : "faults"}; the log has the first one's place.`
  }

  return {
    part: "policies",
    async look(): Promise<Health> {
      const since = behind?.since ?? confirmedTime
      if (isOver()) {
        return {
          state: "unavailable",
          since,
          reason: `${cause()} Nothing is granted, because the last good set is older than ${limit}.`,
        }
      }
      if (behind === null) return { state: "ok" }
      return {
        state: "degraded",
        since,
        reason: `${cause()} The last good set is used for ${remaining()} more, then nothing is granted.`,
      }
    },
    confirm(at) {
      confirmedAt = at
      confirmedTime = clock.now().toISOString()
      behind = null
    },
    fallBehind(next) {
      behind = { ...next, since: behind?.since ?? clock.now().toISOString() }
    },
    isCurrent: () => behind === null,
    isOver,
    remaining,
    stale() {
      if (behind === null) return {}
      return { stale: { since: behind.since, faults: behind.why === "refused" ? behind.faults : 0 } }
    },
    requireUsable() {
      if (isOver()) throw new BrokerError("policy_unavailable", tooOld(limit), { retryAfterSeconds: RETRY_SECONDS })
    },
  }
}

const RETRY_SECONDS = 30

const tooOld = (limit: string) =>
  `The broker grants nothing, because its policies have been older than the policy folder for more than ${limit}. Its operator finds the reason in the broker's log and in /healthz.`
