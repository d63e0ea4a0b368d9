import { didYouMean } from "../../broker/core/policy/faults.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds policies for repositories of owners that the organisation file does not list: their jobs are strangers. */
export function* unlistedOwners({ set, sources }: Subject): Generator<Warning> {
  for (const { target, repository, issuer, file } of set.policies) {
    const owners = set.organisation.issuers.get(issuer)?.owners
    // A pattern of an owner that is not listed does not load.
    if (target.kind === "owner" || owners === undefined) continue
    const owner = repository.slice(0, repository.indexOf("/"))
    // One that differs in case only is said to do so.
    if ([...owners.keys()].some((name) => name.toLowerCase() === owner.toLowerCase())) continue
    const whose = set.organisation.issuers.size > 1 ? ` of issuer ${issuer}` : ""
    const hint = didYouMean(owner, owners.keys()) || ` Listed: ${[...owners.keys()].join(", ")}.`
    const message = `The organisation file lists no owner ${JSON.stringify(owner)}${whose}, so every job of ${repository} is a stranger's, and this policy never applies: list the owner with its id, or mend the name.${hint}`
    yield warn(file, sources.valueAt(file, ["repository"]), "owner_unlisted", message)
  }
}
