import { createHash } from "node:crypto"
import { callBroker, exchangeUrl, requestRevocation } from "../../action/broker-client.ts"
import { claimLines } from "../../action/claims.ts"
import { ActionError } from "../../action/failure.ts"
import { parseJson } from "../../action/json.ts"
import { withRetries } from "../../action/retry.ts"
import { debug, info, registerMasks } from "../../action/runner.ts"
import type { Asked, UnboundTokens } from "../../action/subject-tokens.ts"
import { MEDIA_TYPE_PROBLEM } from "../../broker/wire/exchange.ts"
import type { FixedAudience } from "./sources/source.ts"

/**
 * The calls of a job whose CI fixes the audience. Its tokens are bound to no key, so the broker takes each once, and answers in
 * plain JSON.
 * @param title of the CI
 */
export function unboundTokens(tokens: FixedAudience, title: string): UnboundTokens {
  const spent = new Set<string>()

  /** A token that no call has shown yet. */
  async function take(timeoutMs: number): Promise<string> {
    const token = await tokens.next(timeoutMs)
    if (spent.has(digestOf(token))) throw alreadySpent(title, tokens.renewed)
    await registerMasks([token])
    debug(() => claimLines(token))
    return token
  }

  return {
    canChooseAudience: false,
    canCallAgain: tokens.renewed !== "never",
    async exchange(asked, deadline) {
      let first: ActionError | null = null
      const answer = await withRetries(deadline, async () => {
        const token = await take(deadline.attemptMs())
        try {
          const answered = await requestPlainExchange(asked, token, deadline.attemptMs())
          spent.add(digestOf(token))
          return answered
        } catch (thrown) {
          if (!(thrown instanceof ActionError) || tokens.renewed === "each-call") throw thrown
          // The first attempt used the token up, and only that one says why there is no credential.
          const failure: ActionError = thrown.code === "token_already_used" && first !== null ? first : thrown
          first ??= failure
          if (failure !== thrown || failure.undecided) throw withoutRetry(failure)
          throw failure
        }
      })
      if (tokens.renewed === "never") info(onlyOne(title))
      return answer
    },
    revoke: (lease, home, deadline) =>
      withRetries(deadline, async () => {
        const token = await take(deadline.attemptMs())
        const outcome = await requestRevocation(home.broker, token, lease, deadline.attemptMs())
        spent.add(digestOf(token))
        return outcome
      }),
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

const digestOf = (token: string) => createHash("sha256").update(token).digest("base64url")

const onlyOne = (title: string) =>
  `${title} gives a job one ID token, and this exchange used it up. So nothing is renewed, and the lease is not revoked with the command: it ends when its time is over. Ask for a short --ttl.`

function alreadySpent(title: string, renewed: FixedAudience["renewed"]): ActionError {
  const message = `The ID token of this job was used already, and ${title} has no new one${renewed === "sometimes" ? " yet" : ""}.`
  const change =
    renewed === "sometimes"
      ? "Give the token a shorter lifetime, so that it is replaced sooner than the credentials end."
      : "Ask for all grants of the job in one call."
  return new ActionError("id_token_unavailable", message, { change })
}

function withoutRetry(failure: ActionError): ActionError {
  const { code, message, requestId, trace, change, help, undecided } = failure
  return new ActionError(code, message, {
    undecided,
    ...(requestId !== undefined && { requestId }),
    ...(trace && { trace }),
    ...(change !== undefined && { change }),
    ...(help && { help }),
  })
}
