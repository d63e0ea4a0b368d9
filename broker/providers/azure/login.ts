import { BrokerError } from "../../core/errors.ts"
import { call, type OtherSide, throttled } from "../call.ts"
import type { ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { type AccessToken, buildTokenRequest, isLoop, readToken } from "./api.ts"
import type { TokenWish } from "./wish.ts"

/**
 * Logs in to Entra as a client with a federated credential: exchanges the broker's own token for an access token for one
 * scope.
 *
 * A repeated request only gives a second token, so transient failures are retried, each time with a new token of the
 * broker. One failure is not retried: when Entra says that the client repeats requests in a loop, each further request
 * prolongs that.
 *
 * @throws {BrokerError}
 */
export async function logIn(side: OtherSide, wish: TokenWish, io: ProviderIo): Promise<AccessToken> {
  const outcome = await retryTransient(io, async () => {
    const assertion = await io.identityToken(wish.settings.audience)
    const response = await call(side, buildTokenRequest(wish, assertion), io)
    return isLoop(response) ? throttled(side) : readToken(side, response, wish, io.now())
  })
  if (outcome instanceof BrokerError) throw outcome
  return outcome
}
