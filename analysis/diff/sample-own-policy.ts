import type { Grant, Policy } from "../../broker/core/policy/model.ts"
import { compilePattern } from "../../broker/core/policy/pattern.ts"
import type { Potential, Side } from "../reach/own-policies.ts"
import { decideSample, isMore, PROTECTIONS } from "../reach/sample-job.ts"
import type { Witness } from "../regions/region.ts"
import { type FieldAxes, fieldsFrom, isFieldClaim } from "../scopes/field-axes.ts"

/** Whether a policy in the job's own repository, with exactly this grant, gives the job more under one set than the other. */
export function couldGetMore(
  more: Side,
  less: Side,
  witness: Witness,
  { connection }: Potential,
  axes: FieldAxes,
): boolean {
  const claims = Object.fromEntries(Object.entries(witness).filter(([claim]) => !isFieldClaim(claim)))
  const issuer = (more.issuer ?? less.issuer)?.name ?? ""
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
    const environment = claims["environment"]
    const rule = {
      kind: "allow" as const,
      name,
      file: "",
      line: 1,
      grants: new Set([name]),
      conditions: eventOf(claims),
    }
    return [
      {
        file: "",
        issuer,
        unit: claims["repository"] ?? "",
        target: { kind: "unit", id: claims["repository_id"] ?? "" },
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

/** The sample policy names the job's event, as a real policy could. */
function eventOf(claims: Readonly<Record<string, string>>) {
  const event = compilePattern(claims["event_name"] ?? "push")
  return event.ok ? [{ claim: "event_name", test: { kind: "any" as const, patterns: [event.value] } }] : []
}
