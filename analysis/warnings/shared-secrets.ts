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
      for (const [way, locator] of readBy(grant)) {
        const key = JSON.stringify([policy.issuer, unitOf(policy), grant.connection.name, locator])
        const first = readers.get(key)
        if (first === undefined) readers.set(key, { policy, grant })
        else if (first.policy.environment !== policy.environment) {
          const at = sources.keyAt(policy.file, ["grants", grant.name, ...way])
          const message = `${locator} is also read by the grant ${first.grant.name} ${placeOf(first.policy)} (${first.policy.file}), so a job of either gets the same secret, and what protects one of them does not protect it. Store one secret for each environment.`
          yield warn(policy.file, at, "secret_in_two_environments", message)
        }
      }
    }
  }
}

/** What a grant reads, as the policy writes it, and where. The job's environment may fill a gap. */
function readBy({ fields, template }: Grant): readonly (readonly [way: readonly string[], locator: string])[] {
  const written = template === undefined ? fields : template.raw
  const read = memberOf(written, "read")
  const entries = isPlainMap(read) ? Object.entries(read).map(([name, entry]) => [["read", name], entry] as const) : []
  return [...entries, [["read_all"], memberOf(written, "read_all")] as const].flatMap(([way, entry]) => {
    const locator = isPlainMap(entry) ? entry["from"] : entry
    return typeof locator === "string" && !isByEnvironment(locator) ? [[way, locator] as const] : []
  })
}

const isByEnvironment = (locator: string): boolean =>
  templateParts(locator).some((part) => "claim" in part && part.claim === "environment")

const unitOf = ({ target, repository }: Policy): string => (target.kind === "repository" ? target.id : repository)

const placeOf = ({ environment }: Policy): string =>
  environment === undefined ? "for jobs without an environment" : `in the environment ${environment}`
