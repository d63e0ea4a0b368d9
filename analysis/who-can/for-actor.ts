import { factsOf } from "../../broker/core/families/families.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { compilePattern } from "../../broker/core/policy/pattern.ts"
import type { WhoCan, WhoCanContext, WhoCanRow } from "./model.ts"
import { whoCan } from "./who-can.ts"

/** A person, or a robot, as an issuer names it. */
export interface Actor {
  readonly actor: string | null
  readonly actorId: string
}

/** A unit whose jobs the actor has started. */
export interface ActorsUnit {
  readonly issuerUrl: string
  readonly unit: string
  readonly unitId: string
  readonly ownerId: string
}

/**
 * What jobs of these units can still get when this actor starts them. A rule with a condition on the actor counts only if the actor
 * meets it; a rule without one counts, because the record shows that the actor could start jobs of the unit. Whether the actor
 * still can is known to the issuer's host alone.
 */
export function whatActorReaches(
  set: PolicySet,
  { actor, actorId }: Actor,
  units: readonly ActorsUnit[],
  context: WhoCanContext,
): Pick<WhoCan, "rows" | "unknown"> {
  const answers = units.map(({ issuerUrl, unit, unitId, ownerId }) => {
    const issuer = [...set.organisation.issuers.values()].find(({ url }) => url === issuerUrl)
    const name = compilePattern(unit.replaceAll("*", "\\*"))
    if (issuer === undefined || !name.ok) return { rows: [], unknown: [] }
    const { roles } = factsOf(issuer.family)
    const claims = Object.assign(Object.create(null) as Record<string, string>, {
      ...(roles.actorId === undefined ? {} : { [roles.actorId]: actorId }),
      ...(roles.actor === undefined || actor === null ? {} : { [roles.actor]: actor }),
    })
    const isAbout = ({ claim }: Condition) => Object.hasOwn(claims, claim)
    const policies = set.policiesOf({ issuer: issuer.name, unit, unitId, ownerId })
    const denies = policies.flatMap(({ deny }) => deny).filter(({ conditions }) => conditions.length > 0)
    const isDenied = (grant: string | null) =>
      denies.some(
        ({ grants, conditions }) =>
          (grants === "all" || (grant !== null && grants.has(grant))) &&
          conditions.every((one) => isAbout(one) && matchCondition(one, "deny", claims)),
      )
    const isOfUnit = ({ subject }: Pick<WhoCanRow, "subject">) =>
      subject.issuer === issuer.name && (subject.unitId === null || subject.unitId === unitId)
    const all = whoCan(set, { unit: name.value }, context)
    const rows = all.rows.filter((row) => {
      const { grant, place } = row
      if (!isOfUnit(row)) return false
      const rule = policies
        .flatMap(({ allow }) => allow)
        .find(({ file, line }) => file === place.file && line === place.line)
      const own = rule?.conditions.filter(isAbout) ?? []
      return own.every((one) => matchCondition(one, "allow", claims)) && !isDenied(grant)
    })
    return { rows, unknown: all.unknown.filter(isOfUnit) }
  })
  return { rows: answers.flatMap(({ rows }) => rows), unknown: answers.flatMap(({ unknown }) => unknown) }
}
