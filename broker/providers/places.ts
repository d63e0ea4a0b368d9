import { Secret } from "../core/secret.ts"
import type { OtherSide } from "./call.ts"
import { fieldOfJson, splitField } from "./field.ts"
import type { ReadLocators } from "./store.ts"
import type { StoredValue } from "./stored-value.ts"

/**
 * Reads locators of the form `PLACE#FIELD`: each place once, however many fields of the JSON there are wanted.
 *
 * @throws {BrokerError} what `read` throws; `secret_unusable`, `secret_not_found` for a field that cannot be had
 */
export async function readPlaces(
  side: OtherSide,
  locators: readonly string[],
  read: ReadLocators,
): Promise<ReadonlyMap<string, StoredValue>> {
  const cut = locators.map((locator) => ({ locator, ...splitField(locator) }))
  const found = await read([...new Set(cut.map(({ place }) => place))])
  return new Map(
    cut.map(({ locator, place, field }) => {
      const stored = found.get(place)
      if (stored === undefined) throw new Error("the store answered without one of the places")
      return [locator, field === null ? stored : pick(side, locator, field, stored)]
    }),
  )
}

const pick = (side: OtherSide, locator: string, field: string, { value, ...rest }: StoredValue): StoredValue => ({
  ...rest,
  value: fieldOfJson(side, locator, field, new Secret(textOf(value.reveal()))),
})

/** Bytes that are no text are no JSON either. */
function textOf(raw: string | Uint8Array): string {
  if (typeof raw === "string") return raw
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw)
  } catch {
    return ""
  }
}
