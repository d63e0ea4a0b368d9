import type { Credential } from "../answer.ts"
import { readSession, type Session } from "../aws-session.ts"
import type { Held, Renewal } from "./renewed.ts"

/**
 * A new session is fetched when less than a third of its life is left, and less than five minutes: SDKs sign with a session
 * for the minutes after they asked for it. They wait one or two seconds for an answer. A renewal that takes longer goes on,
 * and the next question gets it.
 */
export const SESSION_RENEWAL: Renewal = {
  below: (lifeMs) => Math.min(5 * 60_000, lifeMs / 3),
  answerWithinMs: 800,
}

/** @throws {ActionError} `answer_unusable` */
export function heldSession(credential: Credential): Held<Session> {
  const value = readSession(credential)
  return { value, endsAt: Date.parse(value.Expiration) }
}
