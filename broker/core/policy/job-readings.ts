import { factsOf } from "../families/families.ts"
import type { ClaimRoles } from "../families/family-facts.ts"
import { type Claims, type Identity, ownerOf, shortName } from "../identity.ts"
import type { Organisation, Policy } from "./model.ts"

/** The parts of the organisation file that make a ceiling: its boundaries, and the names of its owners. */
export type CeilingSource = Pick<Organisation, "boundaries" | "issuers">

/** A job as boundaries see it. */
export interface JobReadings {
  readonly family: string
  /** It is a person, and no job. */
  readonly people: boolean
  /** The job's claims, once for each known name of its unit. */
  readonly known: readonly Claims[]
}

/** A job with every name by which boundaries match it. */
export function readingsOf(
  { issuers }: CeilingSource,
  { claims, unit, unitKind, issuer, ownerId }: Identity,
  policies: readonly Policy[],
): JobReadings {
  const config = issuers.get(issuer)
  const { name: family, roles, ownerId: ownerForm } = factsOf(config?.family)
  const job = { family, people: unitKind === "person" }
  if (roles.unit === undefined) return { ...job, known: [claims] }
  const names = [unit]
  for (const policy of policies) if (policy.target.kind === "unit") names.push(policy.unit)
  // An issuer that is the owner of its units is no part of their names.
  for (const [owner, id] of ownerForm === undefined ? [] : (config?.owners ?? [])) {
    if (id === ownerId) names.push(`${owner}/${shortName(unit)}`)
  }
  const readings = [...new Set(names)].map((name) => namesIn(roles, name))
  const others = readings.filter((one) => Object.entries(one).some(([claim, name]) => claims[claim] !== name))
  return { ...job, known: [claims, ...others.map((one) => Object.assign(Object.create(null), claims, one) as Claims)] }
}

/** The claims that would say a unit's name. */
export const namesIn = ({ unit, owner }: ClaimRoles, name: string): Readonly<Record<string, string>> => ({
  ...(unit === undefined ? {} : { [unit]: name }),
  ...(owner === undefined ? {} : { [owner]: ownerOf(name) }),
})
