import { type CryptoKey, SignJWT } from "jose"
import { Secret } from "../../core/secret.ts"
import type { Clock } from "../../ports/clock.ts"

/** GitHub refuses an `exp` more than ten minutes ahead of its own clock; the minute is for ours being ahead. */
const LIFETIME_SECONDS = 9 * 60
/** GitHub refuses an `iat` in its future, too: its documentation asks for a minute of leeway. */
const BACKDATE_SECONDS = 60
/** From then on a new one is made, so that none ends on its way. */
const RENEW_BEFORE_SECONDS = 60

/**
 * Makes the JWTs (RS256) by which the App is known to GitHub. Each serves for eight minutes, from memory.
 *
 * `issuer` is the App's id or its client id.
 */
export function createAppTokens(issuer: string, key: CryptoKey, clock: Clock): () => Promise<Secret<string>> {
  let made: { readonly token: Secret<string>; readonly expiresAt: number } | null = null

  return async () => {
    const now = Math.floor(clock.now().getTime() / 1000)
    // The second half is for a clock that was put back: GitHub would see an `iat` ahead of time.
    const isUsable =
      made !== null && now < made.expiresAt - RENEW_BEFORE_SECONDS && now >= made.expiresAt - LIFETIME_SECONDS
    if (made !== null && isUsable) return made.token
    const expiresAt = now + LIFETIME_SECONDS
    const jwt = await new SignJWT()
      .setProtectedHeader({ alg: "RS256", typ: "JWT" })
      .setIssuer(issuer)
      .setIssuedAt(now - BACKDATE_SECONDS)
      .setExpirationTime(expiresAt)
      .sign(key)
    made = { token: new Secret(jwt), expiresAt }
    return made.token
  }
}
