import type { Identity } from "../../core/identity.ts"
import type { ApprovalFact } from "../../core/policy/break-glass.ts"
import type { Clock } from "../../ports/clock.ts"
import { createBoundedCache } from "./bounded-cache.ts"

const KEPT_MS = 3_000
const MAX_RUNS = 1_000

/**
 * Keeps an answer about one run for three seconds. A job can ask for an explanation as often as it wants with one token. Without
 * this, it could use up the requests that the host allows the broker, and so deny other teams.
 */
export function keptApprovals(
  ask: (identity: Identity) => Promise<ApprovalFact>,
  clock: Clock,
): (identity: Identity) => Promise<ApprovalFact> {
  const facts = createBoundedCache<{ readonly fact: ApprovalFact; readonly until: number }>(MAX_RUNS)
  return async (identity) => {
    const { unitId, environment, runId, runAttempt } = identity
    const key = JSON.stringify([unitId, environment, runId, runAttempt])
    const kept = facts.get(key)
    if (kept !== undefined && clock.elapsed() < kept.until) return kept.fact
    const fact = await ask(identity)
    facts.set(key, { fact, until: clock.elapsed() + KEPT_MS })
    return fact
  }
}
