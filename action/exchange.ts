import { randomUUID } from "node:crypto"
import { newLeaseId } from "../broker/wire/lease-id.ts"
import { connectToBroker, requestExchange } from "./broker-client.ts"
import { claimLines } from "./claims.ts"
import { ActionError } from "./failure.ts"
import { type Inputs, readInputs } from "./inputs.ts"
import { boundAudience, type JobKey, makeJobKey } from "./key.ts"
import { type LeaseIds, StepLeases } from "./lease.ts"
import { type Deadline, spreadFirstCall, startDeadline, withRetries } from "./retry.ts"
import * as runner from "./runner.ts"
import { subjectTokens } from "./subject-tokens.ts"

/**
 * Exchanges a subject token for credentials and delivers them to the following steps: all of them or none.
 * @throws {ActionError}
 */
export async function exchange(): Promise<void> {
  const started = Date.now()
  const inputs = readInputs(runner.input)
  const deadline = startDeadline(inputs.timeoutMs)
  runner.requireRunnerFiles()

  const leases = new StepLeases(inputs)
  const prepare = async () => (await import("./delivery.ts")).prepareDelivery({ inputs, leases, deadline, started })
  let prepared = null as ReturnType<typeof prepare> | null
  const answer = await exchangeForAnswer(inputs, leases, deadline, () => {
    prepared ??= prepare()
    // A file that cannot be loaded is reported when it is needed.
    prepared.catch(() => {})
  })
  const deliver = await (prepared ?? prepare())
  await deliver(answer)
}

/**
 * Each attempt requests a new subject token, and asks for a new lease: the broker accepts both once, even if its answer gets
 * lost. The lease of an attempt without an answer stays saved: the post step revokes what was minted for it, if anything was.
 *
 * The connection to the broker is opened while the runner gets the token.
 * @param whileWaiting called when the request is on its way
 * @param keyOf the key that the exchange is bound to; left out, a new one that only this exchange knows
 */
export async function exchangeForAnswer(
  inputs: Pick<Inputs, "broker" | "audience" | "grants" | "ttl" | "parallelJobs">,
  leases: LeaseIds,
  deadline: Deadline,
  whileWaiting: () => void = () => {},
  keyOf: () => JobKey = makeJobKey,
): Promise<unknown> {
  const tokens = await subjectTokens()
  await spreadFirstCall(inputs.parallelJobs, deadline)
  if (!tokens.canChooseAudience) {
    whileWaiting()
    return tokens.exchange(inputs, leases, deadline)
  }
  const key = keyOf()
  const audience = boundAudience(inputs.audience, key.thumbprint)
  const request = { grants: inputs.grants, ...(inputs.ttl !== undefined && { ttl: inputs.ttl }), key: key.publicJwk }
  const sealed = await withRetries(deadline, async () => {
    const answered = tokens.request(audience, deadline.attemptMs())
    const connection = connectToBroker(inputs.broker, deadline.attemptMs())
    try {
      const token = await answered
      await runner.registerMasks([token])
      runner.debug(() => claimLines(token))
      const lease = newLeaseId(new Date(), randomUUID())
      leases.ask(lease)
      const sent = requestExchange(inputs.broker, token, { ...request, lease }, deadline.attemptMs(), { connection })
      whileWaiting()
      return await sent.catch((thrown: unknown) => {
        if (thrown instanceof ActionError && !thrown.undecided) leases.forget(lease)
        throw thrown
      })
    } finally {
      connection.end()
    }
  })
  return key.open(sealed)
}
