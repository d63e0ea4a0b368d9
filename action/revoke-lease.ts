import type { RevokeAnswer } from "../broker/wire/exchange.ts"
import { requestRevocation } from "./broker-client.ts"
import { claimLines } from "./claims.ts"
import { requestIdToken } from "./id-token.ts"
import { boundAudience, thumbprintWithoutKey } from "./key.ts"
import type { LeaseHome } from "./lease.ts"
import { type Deadline, withRetries } from "./retry.ts"
import { debug, idTokenEndpoint, jobFacts, registerMasks } from "./runner.ts"

/**
 * Revokes a lease. The subject token is bound to a thumbprint without a key: an attacker who copies the token on the way can
 * revoke this lease, and cannot get credentials.
 * @throws {ActionError}
 */
export async function revokeLease(
  id: string,
  home: LeaseHome,
  deadline: Deadline,
): Promise<Omit<RevokeAnswer, "lease">> {
  const endpoint = idTokenEndpoint()
  if (endpoint === null) throw (await import("./no-id-token.ts")).noIdTokenEndpoint(jobFacts())
  const audience = boundAudience(home.audience, thumbprintWithoutKey())
  return withRetries(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs())
    await registerMasks([token])
    debug(() => claimLines(token))
    return requestRevocation(home.broker, token, id, deadline.attemptMs())
  })
}
