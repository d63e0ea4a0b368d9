import { randomUUID } from "node:crypto"
import { type Prove, requestExchange, requestRevocation } from "../../action/broker-client.ts"
import { claimLines } from "../../action/claims.ts"
import { ActionError } from "../../action/failure.ts"
import { makeJobKey } from "../../action/key.ts"
import { dpopProof } from "../../action/proof/dpop.ts"
import { withRetries } from "../../action/retry.ts"
import { debug, registerMasks } from "../../action/runner.ts"
import type { FixedTokens } from "../../action/subject-tokens.ts"
import { newLeaseId } from "../../broker/wire/lease-id.ts"
import { changed, ended, endsSoon, tooOld } from "./session-failures.ts"
import { SessionToken } from "./session-token.ts"
import type { FixedAudience } from "./sources/source.ts"
import { servesOneCommand } from "./sources/token-text.ts"

/**
 * The calls of a job with one token. The first use binds the token to a key that only this process has, and every call proves
 * that key (RFC 9449). So one token serves exchange, renewal and revocation, and a thief without the key cannot use it. Where
 * the CI replaces the token, the same key is bound again.
 *
 * What a token got ends with it. So near its end nothing is asked for any more. The same failure object is thrown each time,
 * so that a caller can report it once.
 *
 * @param title of the CI
 */
export function sessionTokens(tokens: FixedAudience, title: string): FixedTokens {
  const keyOf = tokens.key ?? makeOnce(makeJobKey)
  let last: SessionToken | null = null

  /** The newest token. One that was read before stays in use when its place is empty now. */
  async function take(timeoutMs: number): Promise<SessionToken> {
    const text = await tokens.next(timeoutMs).catch((thrown: unknown) => {
      if (last === null || last.isOver()) throw thrown
      return last.text
    })
    if (text === last?.text) return last
    const token = new SessionToken(text, (endsAt) => ended(title, endsAt, tokens.renewed === "sometimes"))
    last = token
    await registerMasks([text])
    debug(() => claimLines(text))
    return token
  }

  /** Each attempt needs a new proof: the broker takes each once. */
  const prover =
    ({ text }: SessionToken): Prove =>
    ({ method, url }) =>
      dpopProof(keyOf(), { method, url, token: text, now: new Date(), jti: randomUUID() })

  return {
    canChooseAudience: false,

    async exchange({ broker, grants, ttl }, leases, deadline) {
      const { token, sealed } = await withRetries(deadline, async () => {
        const token = await take(deadline.attemptMs())
        if (token.canGiveNothingMore(grants)) throw token.ended
        const lease = newLeaseId(new Date(), randomUUID())
        leases.ask(lease)
        const request = { grants, ...(ttl !== undefined && { ttl }), key: keyOf().publicJwk, lease }
        const sent = requestExchange(broker, token.text, request, deadline.attemptMs(), { prove: prover(token) })
        const sealed = await sent.catch((thrown: unknown) => {
          if (!(thrown instanceof ActionError)) throw thrown
          if (!thrown.undecided) leases.forget(lease)
          throw refused(thrown, token, { broker, grants })
        })
        return { token, sealed }
      })
      const answer = keyOf().open(sealed)
      token.gave(answer)
      return answer
    },

    revoke: (lease, { broker }, deadline) =>
      withRetries(deadline, async () => {
        const token = await take(deadline.attemptMs())
        if (token.isOver()) throw token.ended
        return requestRevocation(broker, token.text, lease, deadline.attemptMs(), prover(token))
      }),
  }

  /** A refusal in the words of a job with one token. */
  function refused(
    failure: ActionError,
    token: SessionToken,
    { broker, grants }: { readonly broker: string; readonly grants: readonly string[] },
  ): ActionError {
    if (failure.code === "key_mismatch" && !token.namesKey) return tooOld(broker)
    if (failure.code === "token_already_used" && !token.hasGiven) {
      return changed(failure, tokens.alreadyUsed ?? servesOneCommand())
    }
    if (failure.code !== "ttl_too_short") return failure
    if (!token.hasGiven) return changed(failure, endsSoon(token.secondsLeft))
    // It was long enough before, so the end of the token is what makes it short.
    token.givesNoMore(grants)
    return token.ended
  }
}

function makeOnce<Value>(make: () => Value): () => Value {
  let value: Value | null = null
  return () => {
    value ??= make()
    return value
  }
}
