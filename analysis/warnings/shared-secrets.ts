import type { Grant, Policy } from "../../broker/core/policy/model.ts"
import { isPlainMap, memberOf } from "../../broker/core/policy/plain.ts"
import { templateParts } from "../../broker/core/policy/template.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Where a secret was found first. */
interface Reader {
  readonly policy: Policy
  readonly grant: Grant
}

/**
 * Finds secrets of a store that two environments of one repository can read. Whatever protects one environment does not
 * protect the secret: a job of the other one reads it as well.
 */
export function* secretsInTwoEnvironments({ set, sources }: Subject): Generator<Warning> {
  const readers = new Map<string, Reader>()
  for (const policy of set.policies) {
    for (const grant of policy.grants.values()) {
      for (const [variable, locator] of readBy(grant)) {
        const key = JSON.stringify([policy.issuer, unitOf(policy), grant.connection.name, locator])
        const first = readers.get(key)
        if (first === undefined) readers.set(key, { policy, grant })
        else if (first.policy.environment !== policy.environment) {
          const at = sources.keyAt(policy.file, ["grants", grant.name, "read", variable])
          const message = `${locator} is also read by the grant ${first.grant.name} ${placeOf(first.policy)} (${first.policy.file}), so a job of either gets the same secret, and what protects one of them does not protect it. Store one secret for each environment.`
          yield warn(policy.file, at, "secret_in_two_environments", message)
        }
      }
    }
  }
}

/** The variables of a grant with their locators, as the policy writes them. The job's environment may fill a gap. */
function readBy({ fields, template }: Grant): readonly (readonly [variable: string, locator: string])[] {
  const read = memberOf(template === undefined ? fields : template.raw, "read")
  if (!isPlainMap(read)) return []
  return Object.entries(read).flatMap(([variable, entry]) => {
    const locator = isPlainMap(entry) ? entry["from"] : entry
    return typeof locator === "string" && !isByEnvironment(locator) ? [[variable, locator] as const] : []
  })
}

const isByEnvironment = (locator: string): boolean =>
  templateParts(locator).some((part) => "claim" in part && part.claim === "environment")

const unitOf = ({ target, repository }: Policy): string => (target.kind === "repository" ? target.id : repository)

const placeOf = ({ environment }: Policy): string =>
  environment === undefined ? "for jobs without an environment" : `in the environment ${environment}`
