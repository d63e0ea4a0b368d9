import type { Secret } from "../../core/secret.ts"
import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { call, type OtherSide } from "../call.ts"
import { loggedInBy } from "../login.ts"
import { readPlaces } from "../places.ts"
import type { ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { audienceOf } from "../service.ts"
import { storeProvider } from "../store.ts"
import { batchesOf, buildLogin, buildRead, isForOne, readLogin, readValues } from "./api.ts"
import { type Connection, conflictOf, connection, parseLocator } from "./grant.ts"

/** Variables of CyberArk Conjur. Its JWT authenticator accepts the broker's token, so no API key of Conjur is stored. */
export const conjur = storeProvider({
  name: "conjur",
  summary: "variables of CyberArk Conjur, by its JWT authenticator",
  title: "Conjur",
  connection,
  parse: parseLocator,
  check: conflictOf,
  audiences: (settings) => ({ ownLogin: [audienceOf(settings)] }),
  asks: "job",

  read: (wanted, request, side, io) =>
    readPlaces(side, wanted, (places) =>
      loggedIn(request, side, io, (token) =>
        readAll(
          request.connection,
          token,
          places.map(({ place }) => place),
          side,
          io,
        ),
      ),
    ),
})

const loggedIn = loggedInBy(buildLogin, readLogin)

/**
 * One call for each batch. When Conjur refuses a batch, one call for each of its variables, so that the error can name it.
 */
async function readAll(
  settings: Connection,
  token: Secret<string>,
  variables: readonly string[],
  side: OtherSide,
  io: ProviderIo,
) {
  const read = (batch: readonly string[]) =>
    retryTransient(io, async () => {
      const answer = await call(side, buildRead(settings, token, batch), io)
      return batch.length > 1 && isForOne(answer) ? null : readValues(side, answer, batch, settings)
    })
  const batches = batchesOf(variables, settings)
  const together = await atMost(CALLS_AT_ONCE, batches, read)
  const alone = batches.flatMap((batch, at) => (together[at] === null ? batch.map((variable) => [variable]) : []))
  return new Map([...together, ...(await atMost(CALLS_AT_ONCE, alone, read))].flatMap((values) => values ?? []))
}
