import type { Condition } from "../../broker/core/policy/condition.ts"
import type { Grant, Policy } from "../../broker/core/policy/model.ts"
import { compilePattern } from "../../broker/core/policy/pattern.ts"
import type { Potential, Side } from "../reach/own-policies.ts"
import { decideSample, isMore, jobOf, PROTECTIONS } from "../reach/sample-job.ts"
import type { Witness } from "../regions/region.ts"
import { type FieldAxes, fieldsFrom, isFieldClaim } from "../scopes/field-axes.ts"
import { familyOf, nameClaim } from "../scopes/unit-claims.ts"

/** Whether a policy in the job's own unit, with exactly this grant, gives the job more under one set than the other. */
export function couldGetMore(
  more: Side,
  less: Side,
  witness: Witness,
  { connection }: Potential,
  axes: FieldAxes,
): boolean {
  const claims = Object.fromEntries(Object.entries(witness).filter(([claim]) => !isFieldClaim(claim)))
  const config = more.issuer ?? less.issuer
  const issuer = config?.name ?? ""
  const family = familyOf(config)
  const name = "any-grant"
  const own = (side: Side): readonly Policy[] => {
    const there = side.set.organisation.connections.get(connection.name)
    if (!side.isOpen || there === undefined) return []
    const grant: Grant = {
      name,
      file: "",
      line: 1,
      connection: there,
      fields: fieldsFrom(witness, axes),
      ttlSeconds: there.maxTtlSeconds ?? MAX_TTL_SECONDS,
      minTtlSeconds: 0,
    }
    const { environment: inside, unitId } = family.roles
    const environment = inside === undefined ? undefined : claims[inside]
    const rule = {
      kind: "allow" as const,
      name,
      file: "",
      line: 1,
      grants: new Set([name]),
      conditions: conditionsNaming(claims, issuer, side),
    }
    return [
      {
        file: "",
        issuer,
        unit: claims[nameClaim(family)] ?? "",
        target: { kind: "unit", id: claims[unitId] ?? "" },
        ...(environment === undefined ? {} : { environment }),
        origin: "repository",
        allow: [rule],
        deny: [],
        grants: new Map([[name, grant]]),
      },
    ]
  }
  return PROTECTIONS.some((protection) => {
    const asked = { witness: claims, issuer, grant: name, protection }
    return isMore(decideSample(more.set, asked, own(more)), decideSample(less.set, asked, own(less)))
  })
}

const MAX_TTL_SECONDS = 30 * 24 * 3600

/** The sample policy names what is unusual about the job, as a real policy could. */
function conditionsNaming(claims: Witness, issuer: string, { set }: Side): readonly Condition[] {
  const cautions = jobOf(claims, issuer, set)?.cautions ?? []
  return cautions.flatMap(({ fact, claim = fact, value = "true" }) => {
    const pattern = compilePattern(value)
    return pattern.ok ? [{ claim, test: { kind: "any" as const, patterns: [pattern.value] } }] : []
  })
}
