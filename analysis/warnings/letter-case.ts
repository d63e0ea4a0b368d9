import { claimFact } from "../../broker/core/families/families.ts"
import { ORGANISATION_FILE } from "../../broker/core/policy/load.ts"
import type { Policy, PolicySet } from "../../broker/core/policy/model.ts"
import type { YamlPath } from "../../broker/core/policy/yaml.ts"
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

const COMPARES = "GitHub treats both as one name, but policies distinguish them"

/** Finds names that differ only in letter case. GitHub knows one thing of that name; policies see two. */
export function* namesThatDifferInCase(subject: Subject): Generator<Warning> {
  const { set } = subject
  for (const [issuer, { owners }] of set.organisation.issuers) {
    const names = [...owners.keys()].map((text) => ({
      text,
      file: ORGANISATION_FILE,
      path: ["issuers", issuer, "owners", text],
    }))
    yield* differing(subject, names, `owner`, COMPARES)
  }
  for (const issuer of set.organisation.issuers.keys()) {
    // Only within one issuer: on another server, a similar name is a different repository.
    const policies = set.policies.filter((policy) => policy.issuer === issuer)
    yield* differing(subject, repositoriesIn({ ...set, policies }), "repository", COMPARES)
  }
  yield* differing(subject, environmentsInBoundaries(set), "environment", COMPARES)
  for (const policies of byRepository(set)) {
    const environments = policies.flatMap(({ environment, file }) =>
      environment === undefined ? [] : [{ text: environment, file, path: ["environment"] }],
    )
    yield* differing(subject, environments, "environment", COMPARES)
    const refs = policies.flatMap((policy) => refsIn(policy))
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

/** Names of repositories: those of policies first, then the exact names in conditions. */
function* repositoriesIn(set: PolicySet): Generator<Written> {
  const { issuers } = set.organisation
  for (const { unit, issuer, file } of set.policies) {
    const listed = [...(issuers.get(issuer)?.owners.keys() ?? [])]
    const owner = unit.slice(0, unit.indexOf("/"))
    const spelled = listed.includes(owner)
      ? undefined
      : listed.find((name) => name.toLowerCase() === owner.toLowerCase())
    if (spelled !== undefined) {
      // The spelling in the organisation file counts as the first.
      const text = `${spelled}${unit.slice(owner.length)}`
      yield { text, file: ORGANISATION_FILE, path: ["issuers", issuer, "owners", spelled] }
    }
    yield { text: unit, file, path: ["repository"] }
  }
  yield* literalsOf(set, "repository")
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

function refsIn(policy: Policy): Written[] {
  return [...clausesOfPolicy(policy)].flatMap(({ conditions, file, path }) =>
    conditions.flatMap((condition) =>
      REF_FORMS.has(claimFact("github-actions", condition.claim)?.form)
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

/** The policies of each repository, or of each pattern of repositories. */
function byRepository({ policies }: PolicySet): Iterable<readonly Policy[]> {
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
