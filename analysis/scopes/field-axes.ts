import { STORED } from "../../broker/core/policy/ceiling.ts"
import type { BoundaryEntry, FieldCeiling } from "../../broker/core/policy/model.ts"
import { matchPattern, type Pattern } from "../../broker/core/policy/pattern.ts"
import type { Result } from "../../broker/core/result.ts"
import { type Language, languageOfPattern } from "../regions/language.ts"
import { boxRegion, intersect, type Region, subtract } from "../regions/region.ts"
import { allValues, type Space, valuesThat } from "../regions/space.ts"
import { attempt, type TooComplex } from "../regions/too-complex.ts"

// The fields of a grant, represented as claims. A boundary's entry is then a region like any other, and two ceilings can be
// compared for all possible grants, written or not.

/**
 * The texts that a grant could have, each as a claim. A field that is a list can have several texts, and two entries that
 * each admit some of them need not admit all of them. So a list gets as many claims as entries can distinguish.
 */
export interface FieldAxes {
  /** By claim: the languages by which entries distinguish its texts. */
  readonly languages: ReadonlyMap<string, readonly Language[]>
  /** By top-level field: every place in it that can hold a text. */
  readonly leaves: ReadonlyMap<string, readonly Leaf[]>
}

interface Leaf {
  readonly path: readonly string[]
  /** Its claims, one for each text that the place can hold. If any is present, the first is. */
  readonly claims: readonly string[]
}

/** The policy language allows no space in a claim's name, although https://www.rfc-editor.org/rfc/rfc7519#section-4 does. */
const PREFIX = "grant "
/** Stands for every key of a map that no entry lists. */
const OTHER = "(another key)"
/** The most texts of one list that are analysed. */
const MAX_TEXTS = 3

/** Whether a claim stands for a field of a grant. */
export const isFieldClaim = (claim: string): boolean => claim.startsWith(PREFIX)

/** The field that a claim stands for, for people: `role`, `tags.team`. */
export const fieldOfClaim = (claim: string): string => claim.slice(PREFIX.length).replace(/ \d+$/, "")

/** The axes for all grants that some entries of one connection can admit. `isList`: whether a field can have several texts. */
export function fieldAxesOf(entries: readonly BoundaryEntry[], isList: (field: string) => boolean): FieldAxes {
  const names = [...new Set(entries.flatMap(({ fields }) => [...fields.keys()]))]
  const leaves = new Map<string, readonly Leaf[]>()
  const languages = new Map<string, readonly Language[]>()
  for (const name of names) {
    const ceilings = entries.flatMap(({ fields }) => fields.get(name) ?? [])
    const paths = pathsOf([name], ceilings)
    // Without maps, a list can distinguish at most as many entries as there are different patterns.
    const texts = isList(name) || paths.length > 1 ? Math.min(new Set(ceilings.map(said)).size, MAX_TEXTS) : 1
    const found = paths.map((path): Leaf => {
      const claim = PREFIX + path.join(".")
      return { path, claims: [claim, ...Array.from({ length: texts - 1 }, (_, at) => `${claim} ${at + 2}`)] }
    })
    leaves.set(name, found)
    const known = new Map(ceilings.flatMap(patternsIn).map((pattern) => [pattern.source, languageOfPattern(pattern)]))
    for (const { claims } of found) for (const claim of claims) languages.set(claim, [...known.values()])
  }
  return { languages, leaves }
}

/** Whether a list field has more different entries than the analysis covers. */
export const isBeyond = (entries: readonly BoundaryEntry[], isList: (field: string) => boolean): boolean =>
  [...new Set(entries.flatMap(({ fields }) => [...fields.keys()]))].some(
    (name) =>
      isList(name) && new Set(entries.flatMap(({ fields }) => fields.get(name) ?? []).map(said)).size > MAX_TEXTS,
  )

/**
 * The grants that an entry admits, for every job. An entry that names `read` or `read_all` admits grants with what it names,
 * or with a part of it, as the ceiling does.
 */
export function regionOfFields(space: Space, entry: BoundaryEntry, axes: FieldAxes): Result<Region, TooComplex> {
  const stored = STORED.some((name) => entry.fields.has(name)) ? STORED : []
  const others = [...entry.fields.keys()].filter((name) => !stored.includes(name)).map((name) => [name])
  return regionOfGroups(space, entry, axes, stored.length === 0 ? others : [...others, stored])
}

/** The grants that have every field of an entry, as it says, whatever else they have. */
export const regionOfEveryField = (space: Space, entry: BoundaryEntry, axes: FieldAxes): Result<Region, TooComplex> =>
  regionOfGroups(
    space,
    entry,
    axes,
    [...entry.fields.keys()].map((name) => [name]),
  )

/** Of each group, a grant must have one field, and may have no other than the entry names. */
function regionOfGroups(
  space: Space,
  { fields }: BoundaryEntry,
  { leaves }: FieldAxes,
  groups: readonly (readonly string[])[],
): Result<Region, TooComplex> {
  return attempt((must) => {
    let region: Region = boxRegion(space, allValues)
    for (const names of groups) {
      const own = new Map(
        names.flatMap((name) =>
          (leaves.get(name) ?? []).flatMap(({ path, claims }) =>
            claims.map((claim) => [claim, { path, ceiling: fields.get(name) }] as const),
          ),
        ),
      )
      const admitted = boxRegion(space, (axis) => {
        const place = own.get(axis.claim)
        return valuesThat(axis, ({ [axis.claim]: text }) => {
          if (place === undefined || text === undefined) return true
          const patterns = place.ceiling && patternsAt(place.ceiling, place.path.slice(1))
          return patterns?.some((pattern) => matchPattern(pattern, String(text))) ?? false
        })
      })
      const empty = boxRegion(space, (axis) =>
        valuesThat(axis, (claims) => !(own.has(axis.claim) && axis.claim in claims)),
      )
      region = must(intersect(region, must(subtract(admitted, empty))))
    }
    return region
  })
}

/** The fields of a grant whose texts are these claims. */
export function fieldsFrom(
  claims: Readonly<Record<string, string>>,
  { leaves }: FieldAxes,
): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = {}
  for (const [name, found] of leaves) {
    const texts = found.flatMap(({ path, claims: own }) => {
      const said = own.flatMap((claim) => (Object.hasOwn(claims, claim) ? [claims[claim]] : []))
      return said.length === 0 ? [] : [{ path, said }]
    })
    const [first] = texts
    if (first === undefined) continue
    if (first.path.length === 1) fields[name] = first.said.length === 1 ? first.said[0] : first.said
    else fields[name] = mapOf(texts)
  }
  return fields
}

function mapOf(texts: readonly { readonly path: readonly string[]; readonly said: readonly unknown[] }[]): object {
  const root: Record<string, unknown> = {}
  for (const { path, said } of texts) {
    let at = root
    const keys = path.slice(1)
    for (const key of keys.slice(0, -1)) {
      const inner = at[key]
      const next = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : {}
      at[key] = next
      at = next
    }
    const last = keys.at(-1)
    if (last !== undefined) at[last] = said.length === 1 ? said[0] : said
  }
  return root
}

/** The paths of a field: its own place, and in maps every key that an entry lists plus one for all other keys. */
function pathsOf(path: readonly string[], ceilings: readonly FieldCeiling[]): readonly (readonly string[])[] {
  const maps = ceilings.flatMap((ceiling) => (ceiling.kind === "map" ? [ceiling.entries] : []))
  if (maps.length === 0) return [path]
  const keys = [...new Set(maps.flatMap((entries) => [...entries.keys()]))]
  return [
    path,
    ...keys.flatMap((key) =>
      pathsOf(
        [...path, key],
        maps.flatMap((entries) => entries.get(key) ?? []),
      ),
    ),
    [...path, OTHER],
  ]
}

/** The patterns that a text at a place must match; null when no text is allowed there. */
function patternsAt(ceiling: FieldCeiling, path: readonly string[]): readonly Pattern[] | null {
  if (ceiling.kind === "text") return ceiling.patterns
  const [key, ...rest] = path
  const inner = key === undefined ? undefined : ceiling.entries.get(key)
  return inner === undefined ? null : patternsAt(inner, rest)
}

const patternsIn = (ceiling: FieldCeiling): readonly Pattern[] =>
  ceiling.kind === "text" ? ceiling.patterns : [...ceiling.entries.values()].flatMap(patternsIn)

const said = (ceiling: FieldCeiling): string =>
  JSON.stringify(
    ceiling.kind === "text"
      ? ceiling.patterns.map(({ source }) => source).sort()
      : [...ceiling.entries].map(([key, inner]) => [key, said(inner)]).sort(),
  )
