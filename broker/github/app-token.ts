import { type CryptoKey, SignJWT } from "jose"
import { Secret } from "../core/secret.ts"
import type { Clock } from "../ports/clock.ts"

/** GitHub refuses an `exp` more than ten minutes ahead of its clock. One minute is left in case our clock is ahead. */
const LIFETIME_SECONDS = 9 * 60
/** GitHub also refuses an `iat` in the future: its documentation asks for a tolerance of one minute. */
const BACKDATE_SECONDS = 60
/** A new token is made this long before the old one ends, so that no token expires on its way to GitHub. */
const RENEW_BEFORE_SECONDS = 60

/** The JWT with which the App authenticates to GitHub, and its expiry in Unix seconds. */
export interface AppToken {
  readonly token: Secret<string>
  readonly expiresAt: number
}

/** Makes a JWT (RS256) that is valid for nine minutes. `issuer` is the App's id or its client id. */
export async function makeAppToken(issuer: string, key: CryptoKey, now: Date): Promise<AppToken> {
  const seconds = Math.floor(now.getTime() / 1000)
  const expiresAt = seconds + LIFETIME_SECONDS
  const jwt = await new SignJWT()
    .setProtectedHeader({ alg: "RS256", typ: "JWT" })
    .setIssuer(issuer)
    .setIssuedAt(seconds - BACKDATE_SECONDS)
    .setExpirationTime(expiresAt)
    .sign(key)
  return { token: new Secret(jwt), expiresAt }
}

/** Makes the App's JWTs and caches each in memory for eight minutes. `issuer` as above. */
export function createAppTokens(issuer: string, key: CryptoKey, clock: Clock): () => Promise<Secret<string>> {
  let made: AppToken | null = null

  return async () => {
    const now = clock.now()
    const seconds = now.getTime() / 1000
    // The last condition is for a clock that was set back: GitHub would see an `iat` in the future.
    const isUsable =
      made !== null && seconds < made.expiresAt - RENEW_BEFORE_SECONDS && seconds >= made.expiresAt - LIFETIME_SECONDS
    if (made === null || !isUsable) made = await makeAppToken(issuer, key, now)
    return made.token
  }
}
