import { randomUUID } from "node:crypto"
import type { Readable } from "node:stream"
import { readLease } from "../../action/answer.ts"
import { callBroker } from "../../action/broker-client.ts"
import { receive } from "../../action/deliver/receive.ts"
import { exchangeForAnswer } from "../../action/exchange.ts"
import { ActionError } from "../../action/failure.ts"
import type { HttpReply } from "../../action/http.ts"
import { invalid } from "../../action/inputs.ts"
import { type JobKey, makeJobKey } from "../../action/key.ts"
import { StepLeases } from "../../action/lease.ts"
import { dpopProof } from "../../action/proof/dpop.ts"
import { startDeadline } from "../../action/retry.ts"
import { registerMasks } from "../../action/runner.ts"
import { MEDIA_TYPE_PROBLEM } from "../../broker/wire/exchange.ts"
import { startClient, useSource } from "../exec/host.ts"
import { type Options, openSource, readClientOptions, readTokenOptions } from "../exec/options.ts"
import type { CliIo } from "../io.ts"
import { streamFrom } from "./stream.ts"

const DEFAULT_GRANT = "operator"

/** A call to a broker as an operator. */
export interface OperatorRequest {
  readonly method: "GET" | "POST" | "DELETE"
  /** Below the broker's URL: `/v1/operate/...`, without the query. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** The media type of the answer; JSON when left out. */
  readonly accept?: string
}

/** A broker, and the right to operate it until `endsAt`. */
export interface OperatorClient {
  readonly broker: string
  /** Unix milliseconds. */
  readonly endsAt: number
  /** One call, no retry. Resolves to an answer of 2xx, of at most 4 MiB. @throws {ActionError} */
  call(request: OperatorRequest): Promise<HttpReply>
  /** The same for an answer of any length, which is read as it comes. @throws {ActionError} */
  stream(request: OperatorRequest): Promise<Readable>
}

/**
 * Exchanges the caller's token for an operator token that is bound to a key of this process, and proves that key with every
 * call. The token is kept in memory only.
 *
 * @param options those of `OPERATOR_OPTIONS`
 * @throws {ActionError}
 */
export async function openOperator(options: Options, io: CliIo): Promise<OperatorClient> {
  // Before an input is read: what is wrong with one is said as of an option, and never as a runner's command.
  startClient(io)
  const { grant = DEFAULT_GRANT, ...rest } = options
  if (typeof grant !== "string" || grant.trim() === "") throw invalid("grant", "is empty")
  const inputs = readClientOptions({ ...rest, grants: grant }, io.env)
  const keyOf = await useKey(options, io)
  const leases = new StepLeases(inputs)
  const answer = await exchangeForAnswer(inputs, leases, startDeadline(inputs.timeoutMs), undefined, keyOf)
  leases.confirm(readLease(answer))
  const [credential] = await receive(answer, inputs.grants)
  const token = credential?.values.find(({ name, secret }) => name === "token" && secret)?.value
  if (credential?.provider !== "broker" || token === undefined) throw notAnOperators(grant)
  await registerMasks([token])
  const { broker, timeoutMs } = inputs
  const prepared = ({ method, path, query = {}, json, accept = "application/json" }: OperatorRequest) => {
    const url = new URL(path, broker)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    const dpop = dpopProof(keyOf(), { method, url, token, now: new Date(), jti: randomUUID() })
    return {
      ...{ method, url, timeoutMs, bearer: token, dpop, accept: `${accept}, ${MEDIA_TYPE_PROBLEM}` },
      ...(json === undefined ? {} : { json }),
    }
  }
  return {
    broker,
    endsAt: credential.expiresAt === null ? 0 : Date.parse(credential.expiresAt),
    call: async (request) => await callBroker(broker, prepared(request)).catch(asOperators),
    stream: async (request) => await streamFrom(broker, prepared(request)).catch(asOperators),
  }
}

/** Finds who calls, and the key that the exchange is bound to. The key of a login is there once its token was taken. */
async function useKey(options: Options, io: CliIo): Promise<() => JobKey> {
  const source = await openSource(readTokenOptions(options), io)
  const { tokens } = source
  const key = makeJobKey()
  const keyOf = (!tokens.canChooseAudience && tokens.key) || (() => key)
  useSource(tokens.canChooseAudience ? source : { ...source, tokens: { ...tokens, key: keyOf } })
  return keyOf
}

/** The advice of a refused exchange is about a job's grants. */
function asOperators(thrown: unknown): never {
  if (!(thrown instanceof ActionError) || thrown.code !== "not_allowed") throw thrown
  const { code, message, requestId } = thrown
  throw new ActionError(code, message, {
    change: "Check the name; otherwise ask those who keep the policies for a grant with this right and this scope.",
    ...(requestId !== undefined && { requestId }),
  })
}

const notAnOperators = (grant: string): ActionError => {
  const message = `The grant ${grant} is not one of rights over the broker.`
  return new ActionError("answer_unusable", message, {
    change: "Name a grant whose connection has provider: broker with --grant.",
  })
}
