import type { RevokeAnswer } from "../broker/wire/exchange.ts"
import { requestRevocation } from "./broker-client.ts"
import { claimLines } from "./claims.ts"
import { type ActionError, toFailure } from "./failure.ts"
import { boundAudience, thumbprintWithoutKey } from "./key.ts"
import type { LeaseHome, StepLease } from "./lease.ts"
import { logOutcomes } from "./outcomes.ts"
import { type Deadline, withRetries } from "./retry.ts"
import { debug, registerMasks } from "./runner.ts"
import { subjectTokens } from "./subject-tokens.ts"

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
  const tokens = await subjectTokens()
  if (!tokens.canChooseAudience) return tokens.revoke(id, home, deadline)
  const audience = boundAudience(home.audience, thumbprintWithoutKey())
  return withRetries(deadline, async () => {
    const token = await tokens.request(audience, deadline.attemptMs())
    await registerMasks([token])
    debug(() => claimLines(token))
    return requestRevocation(home.broker, token, id, deadline.attemptMs())
  })
}

/** Revokes a lease and logs what became of its credentials. Null when nothing is left to do, otherwise why it failed. */
export async function endLease(
  { id, expiresAt }: StepLease,
  home: LeaseHome,
  deadline: Deadline,
): Promise<ActionError | null> {
  try {
    logOutcomes(await revokeLease(id, home, deadline))
    return null
  } catch (thrown) {
    const failure = toFailure(thrown)
    // The request never reached the broker, which has now been told not to mint for it.
    return expiresAt === null && failure.code === "lease_not_found" ? null : failure
  }
}
