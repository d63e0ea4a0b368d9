import { ActionError } from "./failure.ts"
import type { HttpFailure } from "./http-failure.ts"

/** The failure of a call that the runner's proxy did not let through. `to` names the other side. */
export function proxyRefused({ fault, proxy, status, retry }: HttpFailure, to: string): ActionError {
  const how =
    fault === "proxy-down"
      ? "cannot be reached"
      : status === undefined
        ? "ended the connection"
        : `answered HTTP ${status}`
  const why = status === 407 ? ", because it wants a user and a password" : ""
  const message = `The proxy ${proxy} of this runner ${how}${why}, so there is no connection to ${to}.`
  return new ActionError("proxy_refused", message, retry && { retry })
}
