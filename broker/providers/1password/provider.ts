import type { HttpResponse } from "../../ports/http.ts"
import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { call } from "../call.ts"
import { retryPassing } from "../retry.ts"
import { storeProvider } from "../store.ts"
import { buildGet, fieldOfItem, itemOf, itemsTitled, readItem, readItemId, readVaultId, vaultsNamed } from "./api.ts"
import { connection, idOf, parseReference, type Reference, referenceOf } from "./grant.ts"

/** One field that is wanted, with the vault and the item that it is in. */
interface Wanted {
  readonly locator: string
  readonly reference: Reference
}

/** Fields of 1Password items, through a Connect server of one's own. Connect knows the broker's token, and no job. */
export const onePassword = storeProvider({
  name: "1password",
  summary: "fields of 1Password items, through a Connect server",
  title: "1Password Connect",
  connection,

  locator(text) {
    const parsed = parseReference(text)
    return parsed.ok ? null : parsed.fault
  },

  check(locators, { vaults }) {
    const outside = vaults && locators.find((locator) => !vaults.includes(referenceOf(locator).vault))
    if (outside === undefined) return null
    return `${outside} is in a vault that the connection does not list (${vaults?.join(", ")}); name one of these as it stands there, or have the vault added to the connection`
  },

  asks: "connection",

  async read(locators, { connection: settings }, side, io) {
    const token = await io.secret(settings.token)
    const ask = <Value>(path: string, read: (response: HttpResponse) => Value) =>
      retryPassing(io, async () => read(await call(side, buildGet(settings, token, path), io)))

    const wanted = locators.map((locator): Wanted => ({ locator, reference: referenceOf(locator) }))
    const vaultIds = await once(
      wanted,
      vaultOf,
      async ({ locator, reference: { vault } }) =>
        idOf(vault) ?? (await ask(vaultsNamed(vault), (answer) => readVaultId(side, locator, answer, vault))),
    )
    const items = await once(wanted, itemKeyOf, async (one) => {
      const { locator, reference } = one
      const vaultId = vaultIds(one)
      const itemId =
        idOf(reference.item) ??
        (await ask(itemsTitled(vaultId, reference.item), (answer) =>
          readItemId(side, locator, answer, { vaultId, title: reference.item }),
        ))
      return await ask(itemOf(vaultId, itemId), (answer) => readItem(side, locator, answer, { vaultId, itemId }))
    })
    return new Map(
      wanted.map((one) => [one.locator, { value: fieldOfItem(side, one.locator, items(one), one.reference) }]),
    )
  },
})

const vaultOf = ({ reference }: Wanted) => reference.vault
const itemKeyOf = ({ reference }: Wanted) => `${reference.vault}/${reference.item}`

/** Acts once for each key, and answers with what came of it for any of the wanted. */
async function once<Value>(
  wanted: readonly Wanted[],
  keyOf: (one: Wanted) => string,
  act: (first: Wanted) => Promise<Value>,
): Promise<(one: Wanted) => Value> {
  const groups = [...Map.groupBy(wanted, keyOf)]
  const values = await atMost(
    CALLS_AT_ONCE,
    groups,
    async ([key, [first]]) => [key, await act(first as Wanted)] as const,
  )
  const byKey = new Map(values)
  return (one) => byKey.get(keyOf(one)) as Value
}
