import type { Grant } from "../../broker/core/policy/model.ts"
import { matchPattern } from "../../broker/core/policy/pattern.ts"
import { claimsOf, hasGaps, withSamples } from "../../broker/core/policy/template.ts"
import { fieldsSeen } from "../reach/grant-words.ts"
import type { Reach } from "../reach/reach.ts"
import { everything, intersect, type Region, union } from "../regions/region.ts"
import type { Space } from "../regions/space.ts"
import type { Must } from "../regions/too-complex.ts"
import { regionOfEntry } from "../scopes/template-region.ts"
import type { FieldWish } from "./model.ts"
import { readsInWhole } from "./whole.ts"

/** The jobs whose claims fill the grant with the texts asked for. */
export function regionOfWishes(
  wishes: readonly FieldWish[],
  { grant, scope }: Reach,
  space: Space,
  must: Must,
): Region {
  return wishes.reduce((region, wish) => {
    if (readsInWhole(grant, wish)) return region
    const { key, pattern } = wish
    const [name = key] = key.split(".")
    const texts = textsAt(fieldsSeen(grant), key.split("."))
    const matched = texts.map((text) => {
      // One text at a time: in a list, one matching member is enough.
      const { template, ...rest } = grant
      const isOpen = template !== undefined && claimsOf(text).length > 0
      const single: Grant = isOpen
        ? { ...grant, fields: { [name]: withSamples(text) }, template: { ...template, raw: { [name]: text } } }
        : { ...rest, fields: { [name]: text } }
      const entry = {
        connection: grant.connection.name,
        line: 0,
        fields: new Map([[name, { kind: "text" as const, patterns: [pattern] }]]),
      }
      return must(regionOfEntry(space, entry, single, scope)).possible
    })
    return must(intersect(region, must(union(space, matched))))
  }, everything(space))
}

/** A cheap check, so that only grants that can match are analysed: a folder can have thousands. */
export function mayBe(grant: Grant, wish: FieldWish): boolean {
  const { key, pattern } = wish
  if (readsInWhole(grant, wish)) return true
  return textsAt(fieldsSeen(grant), key.split(".")).some((text) => hasGaps(text) || matchPattern(pattern, text))
}

/** Every text below a key, at any depth. */
export function textsAt(value: unknown, path: readonly string[]): readonly string[] {
  if (path.length > 0) {
    const [key = "", ...rest] = path
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return []
    return textsAt((value as Readonly<Record<string, unknown>>)[key], rest)
  }
  if (typeof value === "string") return [value]
  if (typeof value === "boolean" || typeof value === "number") return [String(value)]
  return typeof value === "object" && value !== null ? Object.values(value).flatMap((one) => textsAt(one, [])) : []
}
