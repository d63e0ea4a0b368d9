import type { RevocationOutcome, RevokeAnswer } from "../broker/wire/exchange.ts"
import { NAME } from "./answer.ts"
import { ActionError } from "./failure.ts"
import type { HttpReply } from "./http.ts"
import { memberOf, membersOf, parseJson } from "./json.ts"
import { intercepted } from "./refusal.ts"
import { isTime } from "./time.ts"
import { MAX_LIST } from "./trace.ts"

/**
 * Reads the answer of a revocation.
 * @throws {ActionError} `answer_unusable` or `broker_intercepted` when it is not a broker's
 */
export function revocationIn(broker: string, reply: HttpReply): Omit<RevokeAnswer, "lease"> {
  const revocation = readRevocation(parseJson(reply.body))
  if (revocation !== null) return revocation
  if (reply.mediaType !== "application/json") throw intercepted(broker, reply)
  throw new ActionError(
    "answer_unusable",
    `The answer of the broker at ${broker} does not say which credentials were revoked.`,
  )
}

/** Reads the outcome of a revocation for each credential; null when the answer has another form. */
function readRevocation(answer: unknown): Omit<RevokeAnswer, "lease"> | null {
  const members = membersOf(memberOf(answer, "credentials"))
  if (members === null || members.length > MAX_LIST) return null
  const credentials: Record<string, { outcome: RevocationOutcome; expires_at: string | null }> = Object.create(null)
  for (const [grant, ended] of members) {
    const outcome = memberOf(ended, "outcome")
    const expiresAt = memberOf(ended, "expires_at") ?? null
    if (!isOutcome(outcome)) return null
    if (!NAME.test(grant) || (expiresAt !== null && !isTime(expiresAt))) return null
    credentials[grant] = { outcome, expires_at: expiresAt }
  }
  const unknownUntil = memberOf(answer, "unknown_until")
  if (unknownUntil !== undefined && unknownUntil !== null && !isTime(unknownUntil)) return null
  return {
    credentials,
    ...(unknownUntil !== undefined && { unknown_until: unknownUntil }),
    ...(memberOf(answer, "record_due") === true && { record_due: true as const }),
  }
}

const OUTCOMES: ReadonlySet<unknown> = new Set<RevocationOutcome>(["revoked", "expires-only", "failed", "revoking"])

const isOutcome = (value: unknown): value is RevocationOutcome => OUTCOMES.has(value)
