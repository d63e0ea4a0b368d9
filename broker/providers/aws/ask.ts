import type { HttpResponse } from "../../ports/http.ts"
import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { call, type OtherSide } from "../call.ts"
import type { MintRequest, ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { withSession } from "./login.ts"
import { type Operation, signed } from "./signed-call.ts"
import type { AwsStoreSettings } from "./store-settings.ts"

/** One operation that reads, and how it is asked for one part of what is wanted. */
export interface Reading<Part, Answer> {
  readonly operation: Operation
  input(part: Part): object
  /** @throws {BrokerError} what the answer says is wrong */
  read(response: HttpResponse, part: Part): Answer
}

/**
 * Asks for all parts with one session, a few at a time, each again while it fails of something that passes: the
 * operations only read, so that they may be repeated.
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
