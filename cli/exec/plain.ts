import { callBroker, exchangeUrl, requestRevocation } from "../../action/broker-client.ts"
import { claimLines } from "../../action/claims.ts"
import { ActionError } from "../../action/failure.ts"
import { parseJson } from "../../action/json.ts"
import { withRetries } from "../../action/retry.ts"
import { debug, registerMasks } from "../../action/runner.ts"
import type { Asked, FixedTokens } from "../../action/subject-tokens.ts"
import { MEDIA_TYPE_PROBLEM } from "../../broker/wire/exchange.ts"
import type { FixedAudience } from "./sources/source.ts"

/**
 * The calls of a job whose CI gives a new token for each call, and fixes the audience. They prove no key: what is granted with a
 * proof ends with its token, and such tokens live for minutes, which is less than the shortest session of AWS. So the broker
 * takes each token once, and answers in plain JSON.
 */
export function plainTokens(tokens: FixedAudience): FixedTokens {
  async function take(timeoutMs: number): Promise<string> {
    const token = await tokens.next(timeoutMs)
    await registerMasks([token])
    debug(() => claimLines(token))
    return token
  }

  return {
    canChooseAudience: false,
    exchange: (asked, _, deadline) =>
      withRetries(deadline, async () =>
        requestPlainExchange(asked, await take(deadline.attemptMs()), deadline.attemptMs()),
      ),
    revoke: (lease, { broker }, deadline) =>
      withRetries(deadline, async () =>
        requestRevocation(broker, await take(deadline.attemptMs()), lease, deadline.attemptMs()),
      ),
  }
}

/**
 * `POST /v1/exchange` with a token that is bound to no key: one call, no retry.
 * @throws {ActionError} one of the broker's codes, or `broker_*`, `answer_unusable`, `problem_unknown`
 */
async function requestPlainExchange(
  { broker, grants, ttl }: Asked,
  token: string,
  timeoutMs: number,
): Promise<unknown> {
  const reply = await callBroker(broker, {
    method: "POST",
    url: exchangeUrl(broker),
    bearer: token,
    accept: `application/json, ${MEDIA_TYPE_PROBLEM}`,
    json: { grants, ...(ttl !== undefined && { ttl }) },
    timeoutMs,
  })
  if (reply.mediaType === "application/json") return parseJson(reply.body)
  throw new ActionError("answer_unusable", `The answer of ${broker} is not the JSON of a Daypass broker.`)
}
