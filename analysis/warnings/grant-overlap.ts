import { UNITS } from "../../broker/core/families/units.ts"
import { ownerOf } from "../../broker/core/identity.ts"
import type { Policy, PolicyTarget } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"
import { meeting } from "../regions/atoms.ts"
import { languageOfPattern } from "../regions/language.ts"
import { policyWords } from "../scopes/subject-words.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** The most pairs of patterns that are compared; long patterns count more. Takes seconds at most, for hundreds of policies. */
const MAX_PAIRS = 20_000
/** The number of step pairs that cost as much as the fixed part of one comparison. */
const STEPS_OF_A_PAIR = 100

interface Definition {
  readonly policy: Policy
  readonly names: Pattern
}

/**
 * Finds policies whose patterns can match one unit and which define the same grant. The broker refuses such a grant,
 * because it is ambiguous. If both policies have the same pattern, the loader reports it as an error.
 */
export function* overlappingGrants({ set, sources }: Subject): Generator<Warning> {
  let left = MAX_PAIRS
  for (const [name, definitions] of definedByPatterns(set.policies)) {
    for (const [index, { policy, names }] of definitions.entries()) {
      for (const other of definitions.slice(0, index)) {
        if (!mayMeet(names, other.names)) continue
        left -= 1 + (names.steps.length * other.names.steps.length) / STEPS_OF_A_PAIR
        const at = sources.keyAt(policy.file, ["grants", name])
        if (left < 0) {
          const message = `Too many patterns could match the same unit. From here on, the check does not look for units with two definitions of ${name}. Give the grants different names.`
          yield warn(policy.file, at, "too_complex", message)
          return
        }
        const both = meeting(languageOfPattern(names), languageOfPattern(other.names))
        const shared = both.ok ? both.value : null
        if (shared === null) continue
        const { one } = UNITS[familyOf(set.organisation.issuers.get(policy.issuer)).unit]
        const message = `${policyWords(policy, set.organisation)} and ${other.policy.unit} (${other.policy.file}) can match the same ${one}, such as ${ownerOf(policy.unit)}/${shared}, and both define ${name}. The broker refuses ${name} there. Keep one definition, or give the grants different names.`
        yield warn(policy.file, at, "grant_overlap", message)
        break
      }
    }
  }
}

/** Each grant's name with the policies that define it by a pattern, for one owner and one environment. */
function* definedByPatterns(policies: readonly Policy[]): Generator<readonly [string, readonly Definition[]]> {
  const realms = new Map<string, { readonly name: string; readonly definitions: Definition[] }>()
  for (const policy of policies) {
    const { issuer, environment, grants } = policy
    const target: PolicyTarget = policy.target
    if (target.kind !== "owner") continue
    for (const name of grants.keys()) {
      const key = JSON.stringify([issuer, target.ownerId, environment ?? null, name])
      const realm = realms.get(key) ?? { name, definitions: [] }
      realms.set(key, realm)
      realm.definitions.push({ policy, names: target.names })
    }
  }
  for (const { name, definitions } of realms.values()) if (definitions.length > 1) yield [name, definitions]
}

const mayMeet = (one: Pattern, other: Pattern): boolean =>
  one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix)
