import { formatDuration } from "../../broker/core/duration.ts"
import type { IssuerConfig, PolicySet } from "../../broker/core/policy/model.ts"
import { findJob } from "../reach/find-job.ts"
import { getsMore } from "../reach/sample-job.ts"
import type { Witness } from "../regions/region.ts"
import type { AxisMemo } from "../regions/space.ts"
import { allJobsOf } from "../scopes/scope.ts"
import { familyOf, ownerIdClaim } from "../scopes/unit-claims.ts"
import { connectionChanges, organisationChange } from "./connections.ts"
import { tokenChanges } from "./issuer-tokens.ts"
import { comparedIssuers } from "./issuers.ts"
import type { ChangeKind, ComparedIssuer, PolicyChange } from "./model.ts"

/** The changes of issuers and connections in the organisation file, for every job that they affect. */
export function organisationChanges(
  old: PolicySet,
  aligned: PolicySet,
  next: PolicySet,
  memo: AxisMemo,
): readonly PolicyChange[] {
  const pairs = [...next.organisation.issuers.values()].flatMap((after) => {
    const before = aligned.organisation.issuers.get(after.name)
    const former = [...old.organisation.issuers.values()].find(({ name }) => name === after.name) ?? before
    return before && former ? [{ before: { ...before, url: former.url, family: former.family }, after }] : []
  })
  return [
    ...comparedIssuers(old, next).flatMap((one) => nameChanges(one, old, next, memo)),
    ...pairs.flatMap((pair) => issuerChanges(pair, old, next, memo)),
    ...[...next.organisation.connections.values()].flatMap((after) => {
      const before = aligned.organisation.connections.get(after.name)
      return before ? connectionChanges(before, after, aligned, next, memo) : []
    }),
  ]
}

/**
 * An issuer with the same URL and another name. Its name is part of the `sub` of identity tokens, so whatever trusts the old
 * one no longer lets its jobs in, and whatever trusts the new one now does.
 */
function nameChanges({ old: before, next: after }: ComparedIssuer, old: PolicySet, next: PolicySet, memo: AxisMemo) {
  if (before === null || after === null || before.name === after.name) return []
  const subjects = [allJobsOf(after)]
  const found = (more: PolicySet, less: PolicySet, { name: issuer }: IssuerConfig) =>
    findJob(more, memo, issuer, (witness, grant) => getsMore(more, less, { witness, issuer, grant }))
  const says = `have identity tokens whose sub begins with ${after.name}: instead of ${before.name}:`
  return [
    organisationChange({
      direction: "wider",
      kind: "issuer",
      says: `${says}, and get what the other side gives to the new sub`,
      subjects,
      example: found(next, old, after),
    }),
    organisationChange({
      direction: "narrower",
      kind: "issuer",
      says: `${says}, and lose what the other side gives to the old sub only`,
      subjects,
      example: found(old, next, before),
    }),
  ]
}

interface IssuerPair {
  readonly before: IssuerConfig
  readonly after: IssuerConfig
}

function issuerChanges({ before, after }: IssuerPair, old: PolicySet, next: PolicySet, memo: AxisMemo): PolicyChange[] {
  const subjects = [allJobsOf(after)]
  const change = (
    direction: PolicyChange["direction"],
    kind: ChangeKind,
    says: string,
    example: Witness | null = null,
  ) => organisationChange({ direction, kind, says, subjects, example })
  const changes: PolicyChange[] = []
  if (before.url !== after.url || before.family !== after.family) {
    const [one, other] = [`tokens of ${before.url} (${before.family})`, `tokens of ${after.url} (${after.family})`]
    const found = findJob(next, memo, after.name, (witness, grant) =>
      getsMore(next, old, { witness, issuer: after.name, grant }),
    )
    changes.push(
      change("wider", "issuer", `can use ${other} instead of ${one}`, found),
      change("narrower", "issuer", `can no longer use ${one}, now ${other}`),
    )
  }
  // An issuer that is the owner of its units is told of by its URL.
  const ownersIn = (issuer: IssuerConfig) => (ownerIdClaim(familyOf(issuer)) === undefined ? [] : [...issuer.owners])
  const idsIn = (issuer: IssuerConfig): ReadonlySet<string> => new Set(ownersIn(issuer).map(([, id]) => id))
  const [owned, owns] = [idsIn(before), idsIn(after)]
  for (const [name, id] of ownersIn(after)) {
    if (owned.has(id)) continue
    const example = ownedBy(id, name, next, old, after.name, memo)
    changes.push(
      change(
        "wider",
        "owner",
        `now include jobs of the owner ${name} (id ${id}), and policies can give them grants`,
        example,
      ),
    )
  }
  for (const [name, id] of ownersIn(before)) {
    if (owns.has(id)) continue
    changes.push(
      change(
        "narrower",
        "owner",
        `no longer include jobs of the owner ${name} (id ${id}), which get nothing now`,
        ownedBy(id, name, old, next, after.name, memo),
      ),
    )
  }
  changes.push(...tokenChanges(before, after).map(({ direction, says }) => change(direction, "issuer", says)))
  const [limit, former] = [after.maxTokenLifetimeSeconds ?? Infinity, before.maxTokenLifetimeSeconds ?? Infinity]
  if (limit !== former) {
    const words = (seconds: number) =>
      seconds === Infinity ? "as long as the issuer's family allows" : `for ${formatDuration(seconds)} at most`
    const says = `can use subject tokens that live ${words(limit)}, before: ${words(former)}`
    changes.push(change(limit > former ? "wider" : "narrower", "token-lifetime", says))
  }
  return changes
}

/** A job of this owner's units that gets more from one set than from the other. */
function ownedBy(
  id: string,
  name: string,
  more: PolicySet,
  less: PolicySet,
  issuer: string,
  memo: AxisMemo,
): Witness | null {
  const family = familyOf(more.organisation.issuers.get(issuer) ?? less.organisation.issuers.get(issuer))
  const [idClaim, { roles }] = [ownerIdClaim(family), family]
  if (idClaim === undefined) return null
  let found: Witness | null = null
  findJob(more, memo, issuer, (plain, grant) => {
    const owned = { ...plain, [idClaim]: id, ...(roles.owner === undefined ? {} : { [roles.owner]: name }) }
    const witness = [plain, owned].find(
      (one: Witness) => one[idClaim] === id && getsMore(more, less, { witness: one, issuer, grant }),
    )
    found = witness ?? null
    return witness !== undefined
  })
  return found
}
