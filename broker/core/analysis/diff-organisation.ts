import { formatDuration } from "../duration.ts"
import { ORGANISATION_FILE } from "../policy/load.ts"
import type { Connection, IssuerConfig, PolicySet } from "../policy/model.ts"
import { settingsOf, stable } from "./diff-fingerprint.ts"
import type { ChangeKind, ChangeSubject, PolicyChange } from "./diff-model.ts"
import { GITHUB_CLAIMS } from "./github-claims.ts"
import { shown } from "./grant-words.ts"
import { reachesOf } from "./reach.ts"
import type { Witness } from "./region.ts"
import { candidatesOf } from "./region-witnesses.ts"
import { decideSample, getsMore, isMore, PROTECTIONS } from "./sample-job.ts"
import { scopesOf } from "./scope.ts"
import { spaceFor } from "./scope-space.ts"
import type { AxisMemo } from "./space.ts"

/** What the organisation file says otherwise of issuers and connections, for every job that it concerns. */
export function organisationChanges(
  old: PolicySet,
  aligned: PolicySet,
  next: PolicySet,
  memo: AxisMemo,
): readonly PolicyChange[] {
  const pairs = [...next.organisation.issuers.values()].flatMap((after) => {
    const before = aligned.organisation.issuers.get(after.name)
    const former = [...old.organisation.issuers.values()].find(({ name }) => name === after.name) ?? before
    return before && former ? [{ before: { ...before, url: former.url }, after }] : []
  })
  return [
    ...pairs.flatMap((pair) => issuerChanges(pair, old, next, memo)),
    ...[...next.organisation.connections.values()].flatMap((after) => {
      const before = aligned.organisation.connections.get(after.name)
      return before ? connectionChanges(before, after, aligned, next, memo) : []
    }),
  ]
}

interface IssuerPair {
  readonly before: IssuerConfig
  readonly after: IssuerConfig
}

function issuerChanges({ before, after }: IssuerPair, old: PolicySet, next: PolicySet, memo: AxisMemo): PolicyChange[] {
  const subjects = [{ issuer: after.name, repository: null, repositoryId: null }]
  const change = (
    direction: PolicyChange["direction"],
    kind: ChangeKind,
    says: string,
    example: Witness | null = null,
  ) => organisationChange({ direction, kind, says, subjects, example })
  const changes: PolicyChange[] = []
  if (before.url !== after.url || before.family !== after.family) {
    const [one, other] = [`${before.url} (${before.family})`, `${after.url} (${after.family})`]
    const found = someone(next, memo, after.name, (witness, grant) =>
      getsMore(next, old, { witness, issuer: after.name, grant }),
    )
    changes.push(
      change("wider", "issuer", `are taken from ${other}, which did not count before`, found),
      change("narrower", "issuer", `are no longer taken from ${one}`),
    )
  }
  const [owned, owns] = [new Set(before.owners.values()), new Set(after.owners.values())]
  for (const [name, id] of after.owners) {
    if (owned.has(id)) continue
    const example = ownedBy(id, name, next, old, after.name, memo)
    changes.push(
      change(
        "wider",
        "owner",
        `may now belong to ${name} (id ${id}): whatever policies give to their repositories and names`,
        example,
      ),
    )
  }
  for (const [name, id] of before.owners) {
    if (owns.has(id)) continue
    changes.push(
      change(
        "narrower",
        "owner",
        `of ${name} (id ${id}) get nothing any more`,
        ownedBy(id, name, old, next, after.name, memo),
      ),
    )
  }
  const [limit, former] = [after.maxTokenLifetimeSeconds ?? Infinity, before.maxTokenLifetimeSeconds ?? Infinity]
  if (limit !== former) {
    const words = (seconds: number) =>
      seconds === Infinity ? "what the issuer's family allows" : formatDuration(seconds)
    const says = `may use subject tokens that live ${words(limit)}, ${words(former)} before`
    changes.push(change(limit > former ? "wider" : "narrower", "token-lifetime", says))
  }
  return changes
}

/** A job that one set gives more than the other because its repository belongs to this owner. */
function ownedBy(
  id: string,
  name: string,
  more: PolicySet,
  less: PolicySet,
  issuer: string,
  memo: AxisMemo,
): Witness | null {
  let found: Witness | null = null
  someone(more, memo, issuer, (plain, grant) => {
    const owned = { ...plain, repository_owner_id: id, repository_owner: name }
    const witness = [plain, owned].find(
      (one) => one["repository_owner_id"] === id && getsMore(more, less, { witness: one, issuer, grant }),
    )
    found = witness ?? null
    return witness !== undefined
  })
  return found
}

function connectionChanges(
  before: Connection,
  after: Connection,
  old: PolicySet,
  next: PolicySet,
  memo: AxisMemo,
): PolicyChange[] {
  const bound = {
    before: old.organisation.requireBoundToken || before.requireBoundToken,
    after: next.organisation.requireBoundToken || after.requireBoundToken,
  }
  const differ = (more: PolicySet, less: PolicySet) =>
    someone(
      next,
      memo,
      null,
      (witness, grant, issuer, connection) => connection === after.name && getsSame(more, less, witness, issuer, grant),
    )
  const change = (direction: PolicyChange["direction"], kind: ChangeKind, says: string) => ({
    ...organisationChange({
      direction,
      kind,
      says,
      subjects: uses,
      example: direction === "wider" ? differ(next, old) : differ(old, next),
    }),
    connection: after.name,
  })
  if (bound.before === bound.after && settingsOf(before) === settingsOf(after)) return []
  // What no grant of either set uses is nobody's, and what one set alone uses is told of its grants.
  const uses = usesOf(after.name, next)
  if (uses.length === 0 || usesOf(after.name, old).length === 0) return []
  const changes: PolicyChange[] = []
  if (bound.before && !bound.after)
    changes.push(change("wider", "token-binding", `no longer need a key-bound token for ${after.name}`))
  if (!bound.before && bound.after)
    changes.push(change("narrower", "token-binding", `need a key-bound token for ${after.name}`))
  if (settingsOf(before) !== settingsOf(after)) {
    const { more, less, words } = settingsDifference(before, after)
    if (more) changes.push(change("wider", "connection", `have grants of ${after.name}, where ${words}`))
    if (less) changes.push(change("narrower", "connection", `have grants of ${after.name}, where ${words}`))
  }
  return changes
}

/** The same grant from both sets, and more of it from one. */
function getsSame(more: PolicySet, less: PolicySet, witness: Witness, issuer: string, grant: string): boolean {
  return PROTECTIONS.some((protection) => {
    const asked = { witness, issuer, grant, protection }
    const [one, other] = [decideSample(more, asked), decideSample(less, asked)]
    return other?.outcome === "allow" && isMore(one, other)
  })
}

/** A list says what grants may reach, so a longer one is more and a shorter one less. Of all else nobody can tell: it is both. */
function settingsDifference(before: Connection, after: Connection) {
  const [one, other] = [entriesOf(before), entriesOf(after)]
  const words: string[] = []
  let [more, less] = [false, false]
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const [was, is] = [one[key], other[key]]
    if (stable(was) === stable(is)) continue
    if (Array.isArray(was) && Array.isArray(is)) {
      const [added, removed] = [without(is, was), without(was, is)]
      if (added.length + removed.length === 0) continue
      more ||= added.length > 0
      less ||= removed.length > 0
      words.push(
        `${key} has ${[...added.map((text) => `${text} more`), ...removed.map((text) => `${text} no more`)].join(", ")}`,
      )
    } else {
      more = less = true
      words.push(
        was === undefined
          ? `${key} is ${shown(is)}`
          : is === undefined
            ? `${key} is left out`
            : `${key} is ${shown(is)} instead of ${shown(was)}`,
      )
    }
  }
  return { more, less, words: words.join(" and ") }
}

function entriesOf({ provider, settings }: Connection): Readonly<Record<string, unknown>> {
  return { provider, ...(typeof settings === "object" && settings !== null ? settings : { settings }) }
}

const without = (list: readonly unknown[], other: readonly unknown[]): readonly string[] => {
  const known = new Set(other.map(stable))
  return list.filter((member) => !known.has(stable(member))).map(shown)
}

function usesOf(connection: string, { policies }: PolicySet): readonly ChangeSubject[] {
  const subjects = policies
    .filter(({ grants }) => [...grants.values()].some((grant) => grant.connection.name === connection))
    .map(({ issuer, target, repository, environment }) => ({
      issuer,
      repository,
      repositoryId: target.kind === "repository" ? target.id : null,
      environment: environment ?? null,
    }))
  return [...new Map(subjects.map((subject) => [stable(subject), subject])).values()]
}

/** Enough to find somebody, if there is anybody, without looking at thousands of repositories. */
const MAX_SCOPES = 100

/** Somebody who gets some grant of a set, of whom something holds. */
function someone(
  set: PolicySet,
  memo: AxisMemo,
  issuer: string | null,
  holds: (witness: Witness, grant: string, issuer: string, connection: string) => boolean,
): Witness | null {
  let looked = 0
  for (const scope of scopesOf(set)) {
    if (issuer !== null && scope.issuer.name !== issuer) continue
    if (looked++ === MAX_SCOPES) return null
    const part = { scope, organisation: set.organisation }
    const space = spaceFor([part], GITHUB_CLAIMS, memo)
    if (!space.ok) continue
    for (const name of new Set(scope.policies.flatMap(({ grants }) => [...grants.keys()]))) {
      const reaches = reachesOf(part, name, space.value)
      if (!reaches.ok) continue
      for (const { inside, grant } of reaches.value) {
        const [first] = candidatesOf(inside)
        if (first && holds(first, name, scope.issuer.name, grant.connection.name)) return first
      }
    }
  }
  return null
}

function organisationChange(
  change: Pick<PolicyChange, "direction" | "kind" | "says" | "subjects" | "example">,
): PolicyChange {
  return {
    ...change,
    grant: null,
    connection: null,
    cases: [],
    proven: true,
    place: { set: "new", file: ORGANISATION_FILE, line: 1 },
    regions: [],
  }
}
