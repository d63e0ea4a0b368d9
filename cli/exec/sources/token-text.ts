import { ActionError } from "../../../action/failure.ts"
import { isIdToken } from "../../../action/id-token.ts"

/**
 * The token in a text that a CI gave. A text that is no token is never quoted: it can be another secret.
 * @param where the place, for the message: `the variable DAYPASS_ID_TOKEN`
 * @param change what to set, if it is no token
 * @throws {ActionError} `id_token_unavailable`
 */
export function tokenIn(text: string, where: string, change: string): string {
  const token = text.trim()
  if (isIdToken(token)) return token
  const what = token === "" ? "is empty" : "is not an ID token (three parts in base64url with dots between them)"
  throw noToken(`${upperFirst(where)} ${what}.`, change)
}

export const noToken = (message: string, change: string): ActionError =>
  new ActionError("id_token_unavailable", message, { change })

/**
 * What to change when a token belongs to the key of another command.
 * @param another how the CI gives one more token, as a clause; left out where it gives none
 */
export function servesOneCommand(another?: string): string {
  const first = "An ID token serves the one command that uses it first: ask for all grants of the job in that command"
  return another === undefined ? `${first}.` : `${first}, or give this command its own token: ${another}.`
}

export const upperFirst = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)
