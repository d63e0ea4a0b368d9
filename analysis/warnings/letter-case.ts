import { claimFact, USUAL_FAMILY } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { UNITS } from "../../broker/core/families/units.ts"
import { ownerOf } from "../../broker/core/identity.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { Policy, PolicySet } from "../../broker/core/policy/model.ts"
import type { YamlPath } from "../../broker/core/policy/yaml.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import { clausesOf, clausesOfPolicy, patternsOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** One spelling of a name and where it stands. `index`: its place in a list of patterns. */
interface Written {
  readonly text: string
  readonly file: string
  readonly path: YamlPath
  readonly index?: number
}

/** Hosts of repositories treat two spellings of a name as one. Names elsewhere are lower-case, or two names. */
const isCaseless = ({ roles, claims }: FamilyFacts): boolean =>
  roles.unit !== undefined && claims.get(roles.unit)?.form === "repository"

const comparesOf = ({ name, title }: FamilyFacts): string =>
  `${name === USUAL_FAMILY.name ? "GitHub" : title} treats both as one name, but policies distinguish them`

/** Finds names that differ only in letter case. GitHub knows one thing of that name; policies see two. */
export function* namesThatDifferInCase(subject: Subject): Generator<Warning> {
  const { set } = subject
  const caseless = [...set.organisation.issuers.values()].filter((issuer) => isCaseless(familyOf(issuer)))
  for (const config of caseless) {
    const { name: issuer, owners } = config
    const names = [...owners.keys()].map((text) => ({
      text,
      file: ORGANISATION_FILE,
      path: ["issuers", issuer, "owners", text],
    }))
    yield* differing(subject, names, "owner", comparesOf(familyOf(config)))
  }
  for (const issuer of caseless) {
    // Only within one issuer: on another server, a similar name is a different unit.
    const family = familyOf(issuer)
    const policies = set.policies.filter((policy) => policy.issuer === issuer.name)
    yield* differing(subject, unitsIn({ ...set, policies }, family), UNITS[family.unit].one, comparesOf(family))
  }
  const [first] = caseless
  if (first !== undefined) {
    yield* differing(subject, environmentsInBoundaries(set), "environment", comparesOf(familyOf(first)))
  }
  for (const policies of byUnit(set)) {
    const family = familyOf(set.organisation.issuers.get(policies[0]?.issuer ?? ""))
    const environments = policies.flatMap(({ environment, file }) =>
      environment === undefined ? [] : [{ text: environment, file, path: ["environment"] }],
    )
    if (isCaseless(family)) yield* differing(subject, environments, "environment", comparesOf(family))
    const refs = policies.flatMap((policy) => refsIn(policy, family))
    yield* differing(subject, refs, "ref", "Git treats them as two refs, and most likely only one exists")
  }
}

/** Reports each spelling that differs from the first one, with the place of the first. */
function* differing({ sources }: Subject, names: Iterable<Written>, what: string, why: string): Generator<Warning> {
  const first = new Map<string, Written>()
  const said = new Set<string>()
  for (const written of names) {
    const { text, file, path, index } = written
    const folded = text.toLowerCase()
    const other = first.get(folded)
    if (other === undefined) first.set(folded, written)
    else if (other.text !== text && !said.has(`${file}\n${text}`)) {
      // Once for each spelling and file: a copied mistake is corrected in one step.
      said.add(`${file}\n${text}`)
      const at = index === undefined ? sources.valueAt(file, path) : sources.patternAt(file, path, index)
      const otherAt =
        other.index === undefined
          ? sources.valueAt(other.file, other.path)
          : sources.patternAt(other.file, other.path, other.index)
      const message = `The ${what} ${JSON.stringify(text)} differs only in letter case from ${JSON.stringify(other.text)} (${other.file}:${otherAt.line}). ${why}. Write both the same way.`
      yield warn(file, at, "names_differ_in_case", message)
    }
  }
}

/** Names of units: those of policies first, then the exact names in conditions. */
function* unitsIn(set: PolicySet, { roles, unit: kind }: FamilyFacts): Generator<Written> {
  const { issuers } = set.organisation
  for (const { unit, issuer, file } of set.policies) {
    const listed = [...(issuers.get(issuer)?.owners.keys() ?? [])]
    const owner = ownerOf(unit)
    const spelled = listed.includes(owner)
      ? undefined
      : listed.find((name) => name.toLowerCase() === owner.toLowerCase())
    if (spelled !== undefined) {
      // The spelling in the organisation file counts as the first.
      const text = `${spelled}${unit.slice(owner.length)}`
      yield { text, file: ORGANISATION_FILE, path: ["issuers", issuer, "owners", spelled] }
    }
    yield { text: unit, file, path: [kind] }
  }
  if (roles.unit !== undefined) yield* literalsOf(set, roles.unit)
}

/** Exact environments in boundaries, each after the spelling that a policy uses for it. */
function* environmentsInBoundaries({ organisation, policies }: PolicySet): Generator<Written> {
  const spellings = new Set(policies.flatMap(({ environment }) => environment ?? []))
  const literals = [...literalsOf({ organisation, policies: [] }, "environment")]
  for (const literal of literals) {
    if (spellings.has(literal.text)) continue
    const policy = policies.find(({ environment }) => environment?.toLowerCase() === literal.text.toLowerCase())
    if (policy?.environment !== undefined) yield { text: policy.environment, file: policy.file, path: ["environment"] }
    yield literal
  }
}

function* literalsOf(set: Pick<PolicySet, "organisation" | "policies">, claim: string): Generator<Written> {
  for (const { conditions, file, path } of clausesOf(set)) {
    for (const condition of conditions) {
      if (condition.claim !== claim) continue
      for (const [index, { literal }] of patternsOf(condition).entries()) {
        if (literal !== null) yield { text: literal, file, path: [...path, claim], index }
      }
    }
  }
}

const REF_FORMS: ReadonlySet<string | undefined> = new Set(["ref", "branch"])

function refsIn(policy: Policy, { name }: FamilyFacts): Written[] {
  return [...clausesOfPolicy(policy)].flatMap(({ conditions, file, path }) =>
    conditions.flatMap((condition) =>
      REF_FORMS.has(claimFact(name, condition.claim)?.form)
        ? patternsOf(condition).map(({ source }, index) => ({
            text: source,
            file,
            path: [...path, condition.claim],
            index,
          }))
        : [],
    ),
  )
}

/** The policies of each unit, or of each pattern of units. */
function byUnit({ policies }: PolicySet): Iterable<readonly Policy[]> {
  const groups = new Map<string, Policy[]>()
  for (const policy of policies) {
    const { issuer, target, unit } = policy
    const key = JSON.stringify([issuer, target.kind === "unit" ? target.id : unit])
    const group = groups.get(key)
    if (group) group.push(policy)
    else groups.set(key, [policy])
  }
  return groups.values()
}
