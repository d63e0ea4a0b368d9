import { compiledPolicy } from "../../broker/core/policy/compiled.ts"
import type { Boundary, Organisation, Policy, PolicySet } from "../../broker/core/policy/model.ts"
import { policySet } from "../../broker/core/policy/policy-set.ts"
import { grantNamesOf } from "../reach/reach.ts"
import { meaningOf, meaningOfBoundary, meaningOfTarget, sorted, stable } from "../scopes/meaning.ts"
import { type Scope, scopeKey, scopesOf } from "../scopes/scope.ts"
import { boundariesOver, type ScopePart } from "../scopes/scope-space.ts"

/** One scope in both sets. */
export interface ScopePair {
  /** Null when the set does not list its issuer. */
  readonly old: ScopePart | null
  readonly next: ScopePart | null
  /** The grants about which the sets say different things. */
  readonly names: readonly string[]
  /** Whether its own policies differ in something that covers every grant: a deny of all, or a demand on the environment. */
  readonly restrictsOtherwise: boolean
}

/**
 * The scopes about which the two sets are written differently; the analysis must then find out whether the meaning differs.
 * A scope of one set is compared in both, because wider policies of the other set may apply to it.
 */
export function changedScopes(old: PolicySet, next: PolicySet): readonly ScopePair[] {
  const text = textMemo()
  const [oldConcerned, nextConcerned] = concerned(withStubs(old, next), withStubs(next, old), text)
  const oldScopes = scopesByKey(oldConcerned, next)
  const nextScopes = scopesByKey(nextConcerned, old)
  const said = memoized()
  const over = { old: ceilingSayings(old.organisation), next: ceilingSayings(next.organisation) }
  const sameCeiling = over.old.all === over.next.all
  return [...new Set([...oldScopes.keys(), ...nextScopes.keys()])].flatMap((key): ScopePair[] => {
    const [before, after] = [oldScopes.get(key), nextScopes.get(key)]
    const scopes = [before, after].filter((scope) => scope !== undefined)
    const isSame = (of: typeof ownPolicies, grant?: string) =>
      saidOf(before, of, said, grant) === saidOf(after, of, said, grant)
    const part = (scope: Scope | undefined, { organisation }: PolicySet): ScopePart | null =>
      scope === undefined ? null : { scope, organisation }
    const pair = { old: part(before, old), next: part(after, next) }
    const all = [...new Set(scopes.flatMap(grantNamesOf))]
    const isOtherwise = before === undefined || after === undefined || !alike(before, after)
    const ceiling = !sameCeiling && ceilingOf(before, over.old) !== ceilingOf(after, over.next)
    const restricts = () => !isSame(targetPolicies, UNHEARD_OF)
    if (isOtherwise || ceiling) return [{ ...pair, names: all, restrictsOtherwise: restricts() }]
    if (isWrittenAlike(before, after, text) || isSame(ownPolicies)) return []
    const names = all.filter((name) => !isSame(allPolicies, name))
    return [{ ...pair, names, restrictsOtherwise: restricts() }]
  })
}

/** A name that no grant has. So only what a policy says about all grants applies to it. */
const UNHEARD_OF = "\n"

/** The set, with an empty policy for each target that only the other set has. So both sets have the same scopes. */
function withStubs(set: PolicySet, other: PolicySet): PolicySet {
  const known = new Set(set.policies.map(keyOf))
  const stubs = new Map<string, Policy>()
  for (const policy of other.policies) {
    const key = keyOf(policy)
    if (known.has(key) || !set.organisation.issuers.has(policy.issuer)) continue
    const { protectedEnvironment: _, ...head } = policy
    stubs.set(key, { ...head, allow: [], deny: [], grants: new Map() })
  }
  return stubs.size === 0 ? set : policySet(set.version, set.organisation, [...set.policies, ...stubs.values()])
}

const keyOf = ({ issuer, target, environment }: Policy) =>
  JSON.stringify([issuer, meaningOfTarget(target), environment ?? null])

/**
 * Both sets, reduced to the policies of scopes that can differ. Usually a few files of thousands changed, each for a single
 * repository, and no other repository is affected. Lookups by repository still see the whole sets.
 */
function concerned(old: PolicySet, next: PolicySet, text: (policy: Policy) => string): readonly [PolicySet, PolicySet] {
  const whole = [old, next] as const
  if (meaningOfIssuers(old) !== meaningOfIssuers(next)) return whole
  const known = { old: new Set(old.policies.map(text)), next: new Set(next.policies.map(text)) }
  const changed = [
    ...old.policies.filter((policy) => !known.next.has(text(policy))),
    ...next.policies.filter((policy) => !known.old.has(text(policy))),
  ]
  if (changed.some(({ target }) => target.kind === "owner")) return whole
  const keys = new Set(changed.map(keyOf))
  const narrowed = (set: PolicySet): PolicySet => ({
    ...set,
    policies: set.policies.filter((policy) => policy.target.kind === "unit" && keys.has(keyOf(policy))),
  })
  return [narrowed(old), narrowed(next)]
}

/** The issuers, owners and boundaries of a set. If these change, any job may be affected. */
function meaningOfIssuers({ organisation }: PolicySet): string {
  const { boundaries, owners } = ceilingSayings(organisation)
  const urls = [...organisation.issuers.values()].map(({ name, url }) => [name, url]).sort()
  return stable([urls, owners, boundaries.map(meaningOfBoundary).sort()])
}

function scopesByKey(set: PolicySet, beside: PolicySet): ReadonlyMap<string, Scope> {
  return new Map(scopesOf(set, beside).map((scope) => [scopeKey(scope), scope]))
}

type Said = (policy: Policy, grant?: string) => string | null

function memoized(): Said {
  const memo = new WeakMap<Policy, string | null>()
  return (policy, grant) => {
    if (grant !== undefined) return meaningOf(policy, grant)
    const known = memo.get(policy)
    if (known !== undefined) return known
    const said = meaningOf(policy)
    memo.set(policy, said)
    return said
  }
}

function saidOf(scope: Scope | undefined, of: typeof ownPolicies, said: Said, grant?: string): string {
  const sayings = (scope === undefined ? [] : of(scope)).flatMap((policy) => said(policy, grant) ?? [])
  // Duplicates stay: two equal definitions of a grant make it ambiguous, and the broker refuses it.
  return sayings.sort().join("\n")
}

const allPolicies = ({ policies }: Scope): readonly Policy[] => policies

/** For a scope of many repositories, only its own policies: changes of other policies are reported in their own scopes. */
const ownPolicies = (scope: Scope): readonly Policy[] =>
  scope.target.kind === "unit" ? scope.policies : targetPolicies(scope)

/** The policies with exactly this repository or this pattern as their target. */
function targetPolicies({ target, policies }: Scope): readonly Policy[] {
  const own = meaningOfTarget(target)
  return policies.filter((policy) => meaningOfTarget(policy.target) === own)
}

/** Whether all policies are textually the same, as nearly all of a folder are. Much faster than comparing meanings. */
function isWrittenAlike(before: Scope, after: Scope, text: (policy: Policy) => string): boolean {
  const [one, other] = [before.policies, after.policies]
  return (
    one.length === other.length &&
    one.every((policy, index) => {
      const counterpart = other[index]
      return counterpart !== undefined && text(policy) === text(counterpart)
    })
  )
}

/** Leaves out a policy's file: a policy that moved to another file is the same. */
function textMemo(): (policy: Policy) => string {
  const memo = new WeakMap<Policy, string>()
  return (policy) => {
    const known = memo.get(policy) ?? JSON.stringify({ ...compiledPolicy(policy), file: undefined })
    memo.set(policy, known)
    return known
  }
}

/** Whether two scopes contain the same jobs, by the claims that identify them. */
function alike(one: Scope, other: Scope): boolean {
  const claims = ({ texts }: Scope) =>
    [...texts]
      .map(([claim, values]) => `${claim}\n${values.length < 2 ? values[0] : stable(sorted(values))}`)
      .join("\n")
  return claims(one) === claims(other) && same(one.elsewhere, other.elsewhere)
}

const same = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((each) => other.has(each))

interface CeilingSayings {
  readonly boundaries: readonly Boundary[]
  readonly owners: string
  readonly all: string
  of(boundary: Boundary): string
}

function ceilingSayings({ boundaries, issuers }: Organisation): CeilingSayings {
  const each = new Map(boundaries.map((boundary) => [boundary, meaningOfBoundary(boundary)]))
  const owners = stable([...issuers].map(([name, issuer]) => [name, [...issuer.owners].sort()]).sort())
  const all = boundaries.length === 0 ? "" : stable([owners, [...each.values()].sort()])
  return { boundaries, owners, all, of: (boundary) => each.get(boundary) ?? "" }
}

function ceilingOf(scope: Scope | undefined, { boundaries, owners, of }: CeilingSayings): string {
  if (scope === undefined) return ""
  const over = boundariesOver(scope, boundaries)
  return over.length === 0 ? "" : stable([owners, over.map(of).sort()])
}
