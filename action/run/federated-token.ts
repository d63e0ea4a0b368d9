import type { Credential } from "../answer.ts"
import { requiredValue } from "../federated.ts"
import type { Held, Renewal } from "./renewed.ts"

/**
 * Clients exchange the token as soon as they have it. With a third of its five minutes left, it is still good for that, and
 * for a service account's token of any lifetime.
 */
export const TOKEN_RENEWAL: Renewal = { below: (lifeMs) => lifeMs / 3, answerWithinMs: 5_000 }

/**
 * For Google's access tokens of the job's own principal, which end with the token that they were exchanged for. Client
 * libraries fetch a new one when less than 3 minutes 45 seconds are left, so an older token would make them ask each time.
 */
export const PRINCIPAL_RENEWAL: Renewal = { below: (lifeMs) => lifeMs * 0.8, answerWithinMs: 5_000 }

/**
 * The broker's own token in a credential of the format `google-federated` or `azure-federated`.
 * @throws {ActionError} `answer_unusable`
 */
export function readToken(credential: Credential): Held<string> {
  return { value: requiredValue(credential, "federated-token"), endsAt: Date.parse(credential.expiresAt ?? "") }
}
