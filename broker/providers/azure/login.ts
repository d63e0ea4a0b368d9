import { BrokerError } from "../../core/errors.ts"
import { call, type OtherSide, throttled } from "../call.ts"
import type { ProviderIo } from "../provider.ts"
import { retryPassing } from "../retry.ts"
import { type AccessToken, buildTokenRequest, isLoop, readToken } from "./api.ts"
import type { TokenWish } from "./wish.ts"

/**
 * Logs in to Entra as a client, by a federated credential: an access token for one scope, against the broker's own token.
 *
 * Asking twice gives two tokens and takes nothing away, so that what passes is tried again, each time with a fresh token
 * of the broker's. Only a client that Entra holds for one in a loop is left alone: every further request prolongs that.
 *
 * @throws {BrokerError}
 */
export async function logIn(side: OtherSide, wish: TokenWish, io: ProviderIo): Promise<AccessToken> {
  const outcome = await retryPassing(io, async () => {
    const assertion = await io.identityToken(wish.settings.audience)
    const response = await call(side, buildTokenRequest(wish, assertion), io)
    return isLoop(response) ? throttled(side) : readToken(side, response, wish, io.now())
  })
  if (outcome instanceof BrokerError) throw outcome
  return outcome
}
