import { USUAL_FAMILY } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { UNITS } from "../../broker/core/families/units.ts"
import { ownerOf, shortName } from "../../broker/core/identity.ts"
import type { Condition } from "../../broker/core/policy/condition.ts"
import type { Policy, PolicySet, Rule } from "../../broker/core/policy/model.ts"
import { matchPattern } from "../../broker/core/policy/pattern.ts"
import { policyWords } from "../scopes/subject-words.ts"
import { familyOf, isNameId } from "../scopes/unit-claims.ts"
import { type Clause, clausesOf, patternsOf } from "./clauses.ts"
import { familiesOf } from "./families-of.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Actors that belong to GitHub itself. No user can take over these names. */
const GITHUBS_OWN: ReadonlySet<string> = new Set(["dependabot[bot]", "github-actions[bot]", "github-merge-queue[bot]"])

/** Finds conditions on names that another user or unit can take over, without the id beside the name. */
export function* namesWithoutId(subject: Subject): Generator<Warning> {
  const { set, sources } = subject
  const takeable = takeableNames(set)
  for (const clause of clausesOf(set)) {
    for (const condition of clause.conditions) {
      const found = reason(clause, condition, set, takeable)
      if (found === null) continue
      const at = sources.keyAt(clause.file, [...clause.path, condition.claim])
      yield warn(clause.file, at, "name_without_id", found.message, found.severity)
    }
  }
  yield* escapableDenies(subject)
}

type Found = Pick<Warning, "message" | "severity"> | null

function reason(clause: Clause, condition: Condition, set: PolicySet, takeable: (name: string) => boolean): Found {
  const { claim } = condition
  const found = nameIn(familiesOf(set, clause), claim)
  if (found === null || condition.test.kind === "present") return null
  const { family, idClaim, what } = found
  if (clause.conditions.some((other) => other.claim === idClaim)) return null
  if (what === "actor") return ofActor(clause, condition, family)
  const isLiteral = patternsOf(condition).every(({ literal }) => literal !== null)
  if (!isLiteral) return null
  if (what === "owner") return ofOwner(clause, set, claim, idClaim)
  const { one, many } = UNITS[family.unit]
  if (clause.policy === undefined) {
    const names = patternsOf(condition).map(({ literal }) => literal ?? "")
    if (clause.part !== "when" || !names.some(takeable)) return null
    const message = `${capital(clause.whose)} identifies a ${one} by name only. When the name becomes free, anyone who may create ${many} for its owner can take it over, and the boundary then covers another ${one}. Add ${idClaim} beside ${claim}.`
    return { severity: "notice", message }
  }
  // A policy with an id is safe: its condition on the name can only narrow.
  if (clause.policy.target.kind === "unit") return null
  const effect =
    clause.part === "deny"
      ? `it no longer matches a ${one} that is renamed`
      : `it also matches a ${one} that takes over the name`
  const message = `${capital(clause.whose)} identifies ${many} by name, so ${effect}. Add ${idClaim} beside ${claim}, or write a policy for that ${one}.`
  return { severity: "warning", message }
}

interface NameClaim {
  readonly family: FamilyFacts
  readonly idClaim: string
  readonly what: "unit" | "owner" | "actor"
}

/** What a claim names in one of the families, with the claim that says the id; null where no id stands beside it. */
function nameIn(families: readonly FamilyFacts[], claim: string): NameClaim | null {
  for (const family of families) {
    const { unit, unitId, owner, ownerId, actor, actorId } = family.roles
    if (claim === unit && !isNameId(family)) return { family, idClaim: unitId, what: "unit" }
    if (claim === owner && ownerId !== undefined) return { family, idClaim: ownerId, what: "owner" }
    if (claim === actor && actorId !== undefined) return { family, idClaim: actorId, what: "actor" }
  }
  return null
}

function ofActor({ whose, part }: Clause, condition: Condition, { name, roles }: FamilyFacts): Found {
  const names = patternsOf(condition).flatMap(({ literal }) => (literal === null ? [] : [literal]))
  const foreign = names.filter((name) => !GITHUBS_OWN.has(name))
  if (foreign.length === 0) return null
  const isRefusing = part === "deny" ? condition.test.kind === "any" : condition.test.kind === "none"
  const effect = isRefusing
    ? "a user who is refused can change the name and pass"
    : "another user can take a name that becomes free"
  const remedy = isRefusing ? `Use ${roles.actorId} instead` : `Add ${roles.actorId} beside it`
  const how = name === USUAL_FAMILY.name ? ": gh api users/NAME --jq .id" : "."
  return {
    severity: "warning",
    message: `${capital(whose)} identifies a user by the name ${JSON.stringify(foreign[0])}. Users can change their names, and ${effect}. ${remedy}${how}`,
  }
}

/** Only another listed owner can take over an owner's name: the broker refuses owners that are not listed before this. */
function ofOwner({ whose, part, policy }: Clause, { organisation }: PolicySet, claim: string, idClaim: string): Found {
  const owners = [...organisation.issuers.values()].some(({ owners }) => new Set(owners.values()).size > 1)
  if (policy !== undefined || part !== "when" || !owners) return null
  const message = `${capital(whose)} identifies an owner by name only. When the name becomes free, another listed owner can take it over. Add ${idClaim} beside ${claim}.`
  return { severity: "notice", message }
}

/**
 * Whether a unit can gain something by taking over a name: if a policy with a pattern matches the name, or if repositories
 * keep policies of their own. Every other policy identifies its unit by id.
 */
function takeableNames({ organisation, policies }: PolicySet): (name: string) => boolean {
  const open = [...organisation.issuers.values()].some(({ repositoryPolicies }) => repositoryPolicies)
  const wide = policies.filter(({ target }) => target.kind === "owner")
  return (name) => open || wide.some((policy) => isNamed(policy, name))
}

function isNamed({ unit, target }: Policy, name: string): boolean {
  return target.kind === "owner" && ownerOf(name) === ownerOf(unit) && matchPattern(target.names, shortName(name))
}

/** Finds denies that match by a pattern a unit to which another policy gives by id: a rename escapes such a deny. */
function* escapableDenies({ set, sources }: Subject): Generator<Warning> {
  const exact = new Map<string, Policy[]>()
  for (const policy of set.policies) {
    if (policy.target.kind !== "unit") continue
    const key = realmOf(policy)
    const list = exact.get(key)
    if (list) list.push(policy)
    else exact.set(key, [policy])
  }
  for (const policy of set.policies) {
    // A pattern of stars only matches every name, so a rename changes nothing.
    if (policy.target.kind !== "owner" || policy.target.names.steps.every((step) => typeof step !== "number")) continue
    for (const [index, rule] of policy.deny.entries()) {
      const escaping = (exact.get(realmOf(policy)) ?? []).find((other) => isHeldBack(other, policy, rule))
      if (escaping === undefined) continue
      const family = familyOf(set.organisation.issuers.get(policy.issuer))
      const { one, many, idKey } = UNITS[family.unit]
      const message = `The deny ${JSON.stringify(rule.name)} matches ${many} by name, but ${escaping.file} gives grants to ${policyWords(escaping, set.organisation)} by its id. If that ${one} is renamed, the deny no longer applies. Write the deny also into a policy with its ${idKey}.`
      yield warn(policy.file, sources.valueAt(policy.file, ["deny", index]), "name_without_id", message)
    }
  }
}

function isHeldBack({ unit, grants }: Policy, wide: Policy, rule: Rule): boolean {
  if (!isNamed(wide, unit)) return false
  return rule.grants === "all"
    ? grants.size > 0
    : [...grants.keys()].some((name) => rule.grants !== "all" && rule.grants.has(name))
}

const realmOf = ({ issuer, unit, environment }: Policy): string =>
  JSON.stringify([issuer, ownerOf(unit), environment ?? null])

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
