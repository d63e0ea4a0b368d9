import { type Credential, requiredValue } from "../answer.ts"
import type { Held } from "./renewed.ts"

/** The value with the broker's own token, in a credential of the format `google-federated` or `azure-federated`. */
export const TOKEN = "federated-token"

/**
 * The token as GitHub's endpoint for ID tokens gives it: `{ "value": TOKEN }`.
 * @throws {ActionError} `answer_unusable`
 */
export function readToken(credential: Credential): Held {
  return { document: { value: requiredValue(credential, TOKEN) }, endsAt: Date.parse(credential.expiresAt ?? "") }
}
