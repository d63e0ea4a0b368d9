import type { HttpResponse } from "../../ports/http.ts"
import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { call, type OtherSide } from "../call.ts"
import { grouped } from "../grouped.ts"
import { unlistedPlace } from "../places.ts"
import type { MintRequest, ProviderIo } from "../provider.ts"
import type { Located } from "../read-grant.ts"
import { retryTransient } from "../retry.ts"
import { storeProvider } from "../store.ts"
import {
  buildGet,
  type FullItem,
  fieldOfItem,
  itemOf,
  itemsTitled,
  membersOfItem,
  readItem,
  readItemId,
  readVaultId,
  vaultsNamed,
  versionOfItem,
} from "./api.ts"
import { type Connection, connection, idOf, parseItem, parseReference, type Reference } from "./grant.ts"

/** One requested field, with its vault and item. */
type Wanted = Located<Reference>

/**
 * Fields of 1Password items, through the organisation's Connect server. Connect sees only the broker's token, and no job.
 */
export const onePassword = storeProvider({
  name: "1password",
  summary: "fields of 1Password items, through a Connect server",
  title: "1Password Connect",
  connection,
  parse: parseReference,
  check: (wanted, { vaults }) => unlistedPlace("vault", wanted, vaults, ({ vault }) => vault),
  asks: "connection",

  whole: {
    parse: parseItem,
    read: async (one, request, side, io) => membersOfItem((await itemsOf([one], request, side, io))(one)),
  },

  async read(wanted, request, side, io) {
    const items = await itemsOf(wanted, request, side, io)
    return new Map(
      wanted.map((one) => {
        const item = items(one)
        return [one.locator, { value: fieldOfItem(side, one.locator, item, one.place), ...versionOfItem(item) }]
      }),
    )
  },
})

/** Finds and reads each item once. Returns a function that finds the item of any of the requested fields. */
async function itemsOf(
  wanted: readonly Wanted[],
  { connection: settings }: Pick<MintRequest<Connection, unknown>, "connection">,
  side: OtherSide,
  io: ProviderIo,
): Promise<(one: Wanted) => FullItem> {
  const token = await io.secret(settings.token)
  const ask = <Value>(path: string, read: (response: HttpResponse) => Value) =>
    retryTransient(io, async () => read(await call(side, buildGet(settings, token, path), io)))

  const vaultIds = await once(
    wanted,
    vaultOf,
    async ({ locator, place: { vault } }) =>
      idOf(vault) ?? (await ask(vaultsNamed(vault), (answer) => readVaultId(side, locator, answer, vault))),
  )
  return await once(wanted, itemKeyOf, async (one) => {
    const { locator, place: reference } = one
    const vaultId = vaultIds(one)
    const itemId =
      idOf(reference.item) ??
      (await ask(itemsTitled(vaultId, reference.item), (answer) =>
        readItemId(side, locator, answer, { vaultId, title: reference.item }),
      ))
    return await ask(itemOf(vaultId, itemId), (answer) => readItem(side, locator, answer, { vaultId, itemId }))
  })
}

const vaultOf = ({ place }: Wanted) => place.vault
const itemKeyOf = ({ place }: Wanted) => `${place.vault}/${place.item}`

/** Runs `act` once for each key. Returns a function that finds the result for any of the requested fields. */
async function once<Value>(
  wanted: readonly Wanted[],
  keyOf: (one: Wanted) => string,
  act: (first: Wanted) => Promise<Value>,
): Promise<(one: Wanted) => Value> {
  const groups = [...grouped(wanted, keyOf)]
  const values = await atMost(
    CALLS_AT_ONCE,
    groups,
    async ([key, [first]]) => [key, await act(first as Wanted)] as const,
  )
  const byKey = new Map(values)
  return (one) => byKey.get(keyOf(one)) as Value
}
