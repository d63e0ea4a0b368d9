import type { PolicySet } from "../../broker/core/policy/model.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/policy-input.ts"
import { axisMemo } from "../regions/space.ts"
import { stable } from "../scopes/meaning.ts"
import { areComparable, TOO_MANY_PATTERNS } from "../scopes/pattern-pairs.ts"
import { allJobsOf, type Scope } from "../scopes/scope.ts"
import { ceilingChanges } from "./ceiling.ts"
import { comparedIssuers, withIssuersOf } from "./issuers.ts"
import { limitsDiffer } from "./limits.ts"
import type { ComparedIssuer, DiffContext, PolicyChange, PolicyDiff } from "./model.ts"
import { organisationChanges } from "./organisation.ts"
import { changesIn } from "./scope.ts"
import { changedScopes, type ScopePair } from "./scopes.ts"

/**
 * Finds which jobs get more and which get less by the new set than by the old one. The broker's own engine decides for
 * every possible identity. Names of rules, the order of files and the place of a grant make no difference.
 *
 * Sound: every job that gets more is covered by a `wider` change. What is too complex to decide is also a `wider` change.
 * Assumes that repositories have the names that either set writes for their ids.
 */
export function diffPolicySets(old: PolicySet, next: PolicySet, context: DiffContext): PolicyDiff {
  const issuers = comparedIssuers(old, next)
  if (old.version === next.version && old.version !== "")
    return { widens: false, narrows: false, changes: [], limitsDiffer: false, issuers }
  if (!areComparable(old.policies) || !areComparable(next.policies)) return unknowable(old, next, issuers)
  const aligned = withIssuersOf(old, next)
  const memo = axisMemo()
  const pairs = changedScopes(aligned, next)
  const done: Scope[] = []
  const changes: PolicyChange[] = [...organisationChanges(old, aligned, next, memo)]
  for (const pair of widestFirst(pairs)) {
    const scope = scopeOf(pair)
    changes.push(
      ...changesIn(pair, { old: aligned, next, context, memo, done: done.filter((other) => overlaps(other, scope)) }),
    )
    if (scope.target.kind === "owner") done.push(scope)
  }
  changes.push(...ceilingChanges(aligned, next, pairs, context))
  const all = merged(changes)
  return {
    widens: all.some(({ direction }) => direction === "wider"),
    narrows: all.some(({ direction }) => direction === "narrower"),
    changes: [
      ...all.filter(({ direction }) => direction === "wider"),
      ...all.filter(({ direction }) => direction === "narrower"),
    ],
    limitsDiffer: limitsDiffer(aligned, next),
    issuers,
  }
}

/** Too many policies to compare at all. Counts as giving more: an unknown result must never look safe. */
function unknowable(old: PolicySet, next: PolicySet, issuers: readonly ComparedIssuer[]): PolicyDiff {
  const wide = next.policies.find(({ target }) => target.kind === "owner")
  const change: PolicyChange = {
    direction: "wider",
    kind: "too-complex",
    says: `may get more, which cannot be ruled out, because ${TOO_MANY_PATTERNS}`,
    subjects: [...next.organisation.issuers.values()].map(allJobsOf),
    grant: null,
    connection: null,
    cases: [],
    example: null,
    proven: false,
    place: { set: "new", file: wide?.file ?? ORGANISATION_FILE, line: 1 },
    regions: [],
  }
  return { widens: true, narrows: false, changes: [change], limitsDiffer: limitsDiffer(old, next), issuers }
}

function scopeOf({ old, next }: ScopePair): Scope {
  const part = next ?? old
  if (part === null) throw new TypeError("a pair of no scopes")
  return part.scope
}

/** Sorts wide patterns first: a change reported for a wide pattern is not reported again for a narrower one. */
function widestFirst(pairs: readonly ScopePair[]): readonly ScopePair[] {
  const width = (pair: ScopePair) => {
    const { target } = scopeOf(pair)
    return target.kind === "owner" ? target.names.prefix.length : Infinity
  }
  return pairs.toSorted((a, b) => (width(a) === width(b) ? 0 : width(a) - width(b)))
}

function overlaps(one: Scope, other: Scope): boolean {
  return (
    other.target.kind === "owner" &&
    one.issuer.name === other.issuer.name &&
    one.environment === other.environment &&
    // A target that is not a pattern of this scope has no repository in common with it.
    other.policies.some(
      ({ target }) =>
        target.kind === "owner" &&
        one.target.kind === "owner" &&
        stable([target.ownerId, target.names.source]) === stable([one.target.ownerId, one.target.names.source]),
    )
  )
}

/**
 * Merges the same change of several units into one, with one example. Changes of different issuers stay separate:
 * otherwise a reader could not tell which issuer an example, or a repository not listed by name, belongs to.
 */
function merged(changes: readonly PolicyChange[]): readonly PolicyChange[] {
  const found = new Map<string, PolicyChange>()
  for (const change of changes) {
    const { direction, kind, says, cases, proven, grant, place, subjects } = change
    const issuers = [...new Set(subjects.map(({ issuer }) => issuer))]
    const key = stable([direction, kind, says, cases, proven, grant, place, issuers])
    const same = found.get(key)
    found.set(
      key,
      same === undefined
        ? change
        : {
            ...same,
            subjects: [...same.subjects, ...change.subjects],
            regions: [...same.regions, ...change.regions],
            example: same.example ?? change.example,
          },
    )
  }
  return [...found.values()]
}
