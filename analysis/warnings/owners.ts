import { ownerOf } from "../../broker/core/identity.ts"
import { didYouMean } from "../../broker/core/policy/faults.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds policies for units of owners that the organisation file does not list: the broker refuses their jobs. */
export function* unlistedOwners({ set, sources }: Subject): Generator<Warning> {
  for (const { target, unit, issuer, file } of set.policies) {
    const config = set.organisation.issuers.get(issuer)
    const owners = config?.owners
    const family = familyOf(config)
    // The loader already refuses a pattern whose owner is not listed. Other names do not tell whose unit it is.
    if (target.kind === "owner" || owners === undefined || !family.patterns || unit === target.id) continue
    const owner = ownerOf(unit)
    // names_differ_in_case reports an owner that differs in letter case only.
    if ([...owners.keys()].some((name) => name.toLowerCase() === owner.toLowerCase())) continue
    const whose = set.organisation.issuers.size > 1 ? ` of issuer ${issuer}` : ""
    const hint = didYouMean(owner, owners.keys()) || ` Listed: ${[...owners.keys()].join(", ")}.`
    const message = `The organisation file does not list the owner ${JSON.stringify(owner)}${whose}, so the broker refuses every job of ${unit} and this policy never applies. List the owner with its id, or correct the name.${hint}`
    yield warn(file, sources.valueAt(file, [family.unit]), "owner_unlisted", message)
  }
}
