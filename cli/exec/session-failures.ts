import { ActionError } from "../../action/failure.ts"

/** The end of a token with which nothing is renewed or revoked any more. @param endsAt in milliseconds since 1970 */
export function ended(title: string, endsAt: number, isReplaced: boolean): ActionError {
  const when = Number.isFinite(endsAt) ? `at ${new Date(endsAt).toISOString()}` : "soon"
  const rest = isReplaced ? "is renewed when the file has a new token" : "is not renewed any more"
  const message = `The ID token of ${title} ends ${when}. What it got ends then too, and ${rest}.`
  return new ActionError("id_token_unavailable", message, { change: "Give the ID token a longer lifetime." })
}

/** What to change when a lifetime is too short. The end of the token shortens every lifetime, which the trace does not say. */
export function endsSoon(seconds: number): string {
  const rest = Number.isFinite(seconds) ? `, and it ends in ${seconds} s` : ""
  return `What an ID token gets ends with the token${rest}. Give the token a longer lifetime: in a pod with \`expirationSeconds\`, on GitLab with the job's \`timeout\`. If --ttl is given, ask for a longer one, or leave it out.`
}

/** A broker that knows proofs has the key of the call's own proof before it. */
export function tooOld(broker: string): ActionError {
  const message = `The broker at ${broker} did not see the DPoP proof of this call: it is older than this command, or a proxy removed the header.`
  return new ActionError("broker_too_old", message, {
    change: "Update the broker, and let every proxy before it pass the header `DPoP` on.",
  })
}

/** The same failure with another advice. */
export function changed(failure: ActionError, change: string): ActionError {
  const { code, message, retry, requestId, trace, help, undecided } = failure
  return new ActionError(code, message, {
    change,
    undecided,
    ...(retry && { retry }),
    ...(requestId !== undefined && { requestId }),
    ...(trace && { trace }),
    ...(help && { help }),
  })
}
