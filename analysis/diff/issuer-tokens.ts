import type { IssuerConfig, IssuerKeys } from "../../broker/core/policy/model.ts"
import type { PublicKey } from "../../broker/core/public-key.ts"
import type { PolicyChange } from "./model.ts"

type TokenChange = Pick<PolicyChange, "direction" | "says">

/**
 * What changes in whose tokens an issuer's jobs show: the keys that sign them, their audience, and which claims say what.
 * Another place for the keys can hold any key, so it is more; what was accepted only by the old one is lost, so it is also
 * less.
 */
export function tokenChanges(before: IssuerConfig, after: IssuerConfig): readonly TokenChange[] {
  return [
    ...keyChanges(before.keys, after.keys),
    ...replaced(audienceOf(before), audienceOf(after), (audience) => `tokens for ${audience}`),
    ...replaced(mappingOf(before), mappingOf(after), (mapping) => `tokens whose claims are read with ${mapping}`),
  ]
}

function keyChanges(before: IssuerKeys | undefined, after: IssuerKeys | undefined): readonly TokenChange[] {
  if (before?.by !== "list" || after?.by !== "list") {
    return replaced(placeOf(before), placeOf(after), (place) => `tokens signed with the keys ${place}`)
  }
  const names = (keys: readonly PublicKey[]) => keys.map(({ kid }) => JSON.stringify(kid)).join(", ")
  const [added, removed] = [without(after.list, before.list), without(before.list, after.list)]
  return [
    ...(added.length === 0 ? [] : [more(`can use tokens signed with the added keys ${names(added)}`)]),
    ...(removed.length === 0 ? [] : [less(`can no longer use tokens signed with the removed keys ${names(removed)}`)]),
  ]
}

/** Compares whole keys: another key with the same `kid` is another key. The order of a list means nothing. */
function without(keys: readonly PublicKey[], others: readonly PublicKey[]): readonly PublicKey[] {
  const known = new Set(others.map(textOf))
  return keys.filter((key) => !known.has(textOf(key)))
}

const textOf = (value: object): string => JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))

function placeOf(keys: IssuerKeys | undefined): string {
  if (keys === undefined) return "that the issuer publishes"
  if (keys.by === "url") return `at ${keys.url}`
  return `of this file: ${keys.list.map(({ kid }) => JSON.stringify(kid)).join(", ")}`
}

const audienceOf = ({ audience }: IssuerConfig): string => audience ?? "the broker's own audience"

function mappingOf({ claims = {} }: IssuerConfig): string {
  const pairs = Object.entries(claims).sort(([a], [b]) => (a < b ? -1 : 1))
  return pairs.length === 0 ? "no mapping" : pairs.map(([role, claim]) => `${role}: ${claim}`).join(", ")
}

function replaced(before: string, after: string, what: (value: string) => string): readonly TokenChange[] {
  if (before === after) return []
  return [
    more(`can use ${what(after)} instead of ${what(before)}`),
    less(`can no longer use ${what(before)}, now ${what(after)}`),
  ]
}

const more = (says: string): TokenChange => ({ direction: "wider", says })
const less = (says: string): TokenChange => ({ direction: "narrower", says })
