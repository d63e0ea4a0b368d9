import { factsOf } from "../../broker/core/families/families.ts"
import { UNITS, type UnitKind } from "../../broker/core/families/units.ts"
import type { Policy, PolicySet } from "../../broker/core/policy/model.ts"
import { keyOf } from "../../broker/core/policy/published.ts"
import { counted } from "../format.ts"
import { placesIn, published } from "./publication.ts"

/** A unit with policies for it, in the new set or the old one. */
export interface ChangedUnit {
  readonly issuer: string
  readonly unit_kind: UnitKind
  readonly unit_id: string
  /** The name in its policies, for people. */
  readonly unit: string
}

/** The differences of two sets, by unit. */
export interface PolicyChanges {
  readonly previous_version: string | null
  readonly version: string
  readonly organisation_changed: boolean
  /** Whether a policy for several units was added, changed or removed. */
  readonly wide_changed: boolean
  readonly added: readonly ChangedUnit[]
  readonly changed: readonly ChangedUnit[]
  readonly removed: readonly ChangedUnit[]
}

/** Compares the set in force with the new one. `older` is null when none is in force. */
export function changesBetween(older: PolicySet | null, newer: PolicySet): PolicyChanges {
  const [before, after] = [older === null ? null : viewOf(older), viewOf(newer)]
  const places = before?.places ?? new Map<string, never>()
  const all = [...after.places]
  return {
    previous_version: older?.version ?? null,
    version: after.version,
    organisation_changed: before !== null && before.organisation !== after.organisation,
    wide_changed: (before?.wide ?? NOTHING) !== after.wide,
    added: all.filter(([place]) => !places.has(place)).map(([, { named }]) => named),
    changed: all
      .filter(([place, { key }]) => places.has(place) && places.get(place)?.key !== key)
      .map(([, { named }]) => named),
    removed: [...places].filter(([place]) => !after.places.has(place)).map(([, { named }]) => named),
  }
}

/** The changes as lines for people: all kinds, and the first of each kind. */
export function linesOf(changes: PolicyChanges): string[] {
  const { added, changed, removed, organisation_changed, wide_changed, previous_version, version } = changes
  return [
    `version ${previous_version ?? "none"} -> ${version}`,
    ...(organisation_changed ? ["changed  the organisation file, which covers every job"] : []),
    ...(wide_changed ? [`${previous_version === null ? "added  " : "changed"}  policies for several units`] : []),
    ...shortened("added", added),
    ...shortened("changed", changed),
    ...shortened("removed", removed),
  ]
}

const MAX_LINES = 50

const ANY = { one: "unit", many: "units" }

function shortened(what: string, units: readonly ChangedUnit[]): string[] {
  const lines = units
    .slice(0, MAX_LINES)
    .map(({ issuer, unit, unit_id: id }) => `${what.padEnd(8)} ${unit} (${issuer} ${id})`)
  const more = units.length - lines.length
  const [first] = units
  const { one, many } =
    units.some(({ unit_kind: kind }) => kind !== first?.unit_kind) || first === undefined ? ANY : UNITS[first.unit_kind]
  return more > 0 ? [...lines, `${what.padEnd(8)} and ${counted(more, one, many)} more`] : lines
}

const NOTHING = "[]"

interface View {
  readonly version: string
  readonly organisation: string
  readonly wide: string
  readonly places: ReadonlyMap<string, { readonly key: string; readonly named: ChangedUnit }>
}

/** A set as it would be published: two sets are equal if they are published the same way. */
function viewOf(set: PolicySet): View {
  const { current } = published(set, new Date(0))
  const names = new Map(set.policies.map((policy) => [placeOf(policy), policy.unit]))
  return {
    version: current.version,
    organisation: JSON.stringify(current.organisation),
    wide: JSON.stringify(current.wide),
    places: new Map(
      placesIn(current).map((place) => {
        const { issuer, unitId } = place
        const name = placeName(issuer, unitId)
        const kind = factsOf(set.organisation.issuers.get(issuer)?.family).unit
        const named = { issuer, unit_kind: kind, unit_id: unitId, unit: names.get(name) ?? "" }
        return [name, { key: keyOf(place), named }]
      }),
    ),
  }
}

const placeName = (issuer: string, unitId: string) => `${issuer}/${unitId}`

const placeOf = ({ issuer, target }: Policy) => (target.kind === "unit" ? placeName(issuer, target.id) : "")
