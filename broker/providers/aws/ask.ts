import type { HttpResponse } from "../../ports/http.ts"
import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { call, type OtherSide } from "../call.ts"
import type { MintRequest, ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { withSession } from "./login.ts"
import { type Operation, signed } from "./signed-call.ts"
import type { AwsStoreSettings } from "./store-settings.ts"

/** A read operation: how to build the input for one part of the request, and how to read the answer. */
export interface Reading<Part, Answer> {
  readonly operation: Operation
  input(part: Part): object
  /** @throws {BrokerError} when the answer is a refusal or a failure, or is not valid */
  read(response: HttpResponse, part: Part): Answer
}

/**
 * Requests all parts with one session, a few in parallel. Each call is retried after transient failures: the operations only
 * read, so a retry is safe.
 *
 * @throws {BrokerError} the first failure
 */
export async function askAll<Part, Answer>(
  { operation, input, read }: Reading<Part, Answer>,
  parts: readonly Part[],
  { request, side, io }: { request: MintRequest<AwsStoreSettings, unknown>; side: OtherSide; io: ProviderIo },
): Promise<readonly Answer[]> {
  return await withSession(request, io, async (session) => {
    const calls = await Promise.all(
      parts.map(async (part) => ({
        part,
        signedCall: await signed(operation, input(part), request.connection, session, io.now()),
      })),
    )
    return await atMost(CALLS_AT_ONCE, calls, ({ part, signedCall }) =>
      retryTransient(io, async () => read(await call(side, signedCall, io), part)),
    )
  })
}
