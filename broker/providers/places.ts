import { atMost, CALLS_AT_ONCE } from "./at-most.ts"
import type { OtherSide } from "./call.ts"
import { fieldOfJson, jsonTextOf, splitField } from "./field.ts"
import type { ProviderIo } from "./provider.ts"
import type { Located } from "./read-grant.ts"
import { retryTransient } from "./retry.ts"
import type { StoredValue } from "./stored-value.ts"

/**
 * Reads locators of the form `PLACE#FIELD`. Each place is read once, even for several fields. `read` receives the locators
 * without their fields, and returns its values under these.
 *
 * @throws {BrokerError} the errors of `read`; `secret_unusable`, `secret_not_found` for a field that cannot be read
 */
export async function readPlaces<Place>(
  side: OtherSide,
  wanted: readonly Located<Place>[],
  read: (places: readonly Located<Place>[]) => Promise<ReadonlyMap<string, StoredValue>>,
): Promise<ReadonlyMap<string, StoredValue>> {
  const cut = wanted.map(({ locator, place }) => ({ locator, place, ...named(locator) }))
  const places = new Map(cut.map(({ name, place }) => [name, { locator: name, place }]))
  const found = await read([...places.values()])
  return new Map(
    cut.map(({ locator, name, field }) => {
      const stored = found.get(name)
      if (stored === undefined) throw new Error("the store answered without one of the places")
      return [locator, field === null ? stored : pick(side, locator, field, stored)]
    }),
  )
}

function named(locator: string) {
  const { place: name, field } = splitField(locator)
  return { name, field }
}

/**
 * Reads each place with a separate call, a few in parallel. Retries transient failures.
 *
 * @throws {BrokerError} the first failure
 */
export async function readEach<Place>(
  io: ProviderIo,
  places: readonly Located<Place>[],
  read: (one: Located<Place>) => Promise<StoredValue>,
): Promise<ReadonlyMap<string, StoredValue>> {
  return new Map(
    await atMost(
      CALLS_AT_ONCE,
      places,
      async (one) => [one.locator, await retryTransient(io, () => read(one))] as const,
    ),
  )
}

/**
 * Why a grant cannot read these locators: one of them is in a project or vault that the connection does not list. Null when
 * all are listed, or when the connection has no list.
 */
export function unlistedPlace<Place>(
  what: "project" | "vault",
  wanted: readonly Located<Place>[],
  listed: readonly string[] | undefined,
  nameOf: (place: Place) => string,
): string | null {
  const outside = listed && wanted.find(({ place }) => !listed.includes(nameOf(place)))
  if (outside === undefined) return null
  return `${outside.locator} is in a ${what} that the connection does not list (${listed?.join(", ")}): use one of these, with the same spelling, or add the ${what} to the connection`
}

const pick = (side: OtherSide, locator: string, field: string, { value, ...rest }: StoredValue): StoredValue => ({
  ...rest,
  value: fieldOfJson(side, locator, field, jsonTextOf(value.reveal())),
})
