import { type CryptoKey, SignJWT } from "jose"
import { Secret } from "../core/secret.ts"
import type { Clock } from "../ports/clock.ts"

/** GitHub refuses an `exp` more than ten minutes ahead of its own clock; the minute is for ours being ahead. */
const LIFETIME_SECONDS = 9 * 60
/** GitHub refuses an `iat` in its future, too: its documentation asks for a minute of leeway. */
const BACKDATE_SECONDS = 60
/** From then on a new one is made, so that none ends on its way. */
const RENEW_BEFORE_SECONDS = 60

/** A JWT by which the App is known to GitHub, and when it ends, in Unix seconds. */
export interface AppToken {
  readonly token: Secret<string>
  readonly expiresAt: number
}

/** Makes a JWT (RS256) that GitHub takes for nine minutes. `issuer` is the App's id or its client id. */
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

/** The App's JWTs for who asks often: each serves for eight minutes, from memory. `issuer` as above. */
export function createAppTokens(issuer: string, key: CryptoKey, clock: Clock): () => Promise<Secret<string>> {
  let made: AppToken | null = null

  return async () => {
    const now = clock.now()
    const seconds = now.getTime() / 1000
    // The second half is for a clock that was put back: GitHub would see an `iat` ahead of time.
    const isUsable =
      made !== null && seconds < made.expiresAt - RENEW_BEFORE_SECONDS && seconds >= made.expiresAt - LIFETIME_SECONDS
    if (made === null || !isUsable) made = await makeAppToken(issuer, key, now)
    return made.token
  }
}
