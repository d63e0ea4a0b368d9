import * as oauth from "oauth4webapi"
import { LoginError } from "./login-error.ts"
import type { SignIn } from "./sign-in.ts"

/** How the flow talks to the person, and waits. */
export interface DeviceTalk {
  /** Says where to type which code. Both are the provider's texts. */
  say(address: string, code: string): void
  sleep(ms: number): Promise<void>
}

/** RFC 8628, section 3.5: where the provider names no interval, and what each `slow_down` adds. */
const INTERVAL_SECONDS = 5
const MAX_INTERVAL_SECONDS = 60
const MAX_LIFETIME_SECONDS = 1_800

/**
 * Signs a person in on another device (RFC 8628), where this machine has no browser. Resolves to the ID token. The person
 * compares the code: an attacker who starts such a login elsewhere can ask the person to type the attacker's code.
 * @throws what the library throws, and {LoginError}
 */
export async function signInByDevice(
  { server, client, authentication, options, scope }: SignIn,
  { say, sleep }: DeviceTalk,
): Promise<string> {
  if (server.device_authorization_endpoint === undefined) {
    throw new LoginError("the provider offers no login by another device: leave --device out")
  }
  const asked = await oauth.deviceAuthorizationRequest(server, client, authentication, { scope }, options)
  const device = await oauth.processDeviceAuthorizationResponse(server, client, asked)
  say(device.verification_uri, device.user_code)

  let interval = Math.min(device.interval ?? INTERVAL_SECONDS, MAX_INTERVAL_SECONDS)
  const lifetime = Math.min(device.expires_in, MAX_LIFETIME_SECONDS)
  for (let waited = interval; waited < lifetime; waited += interval) {
    await sleep(interval * 1_000)
    try {
      const response = await oauth.deviceCodeGrantRequest(server, client, authentication, device.device_code, options)
      const tokens = await oauth.processDeviceCodeResponse(server, client, response)
      if (tokens.id_token !== undefined) return tokens.id_token
      throw new LoginError("the provider gave no ID token for this login: the client needs the scope openid")
    } catch (error) {
      if (!(error instanceof oauth.ResponseBodyError)) throw error
      if (error.error === "slow_down") interval = Math.min(interval + INTERVAL_SECONDS, MAX_INTERVAL_SECONDS)
      else if (error.error !== "authorization_pending") throw error
    }
  }
  throw new LoginError("nobody signed in before the code expired: run the command again")
}
