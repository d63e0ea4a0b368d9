import type { Grant, Policy } from "../../broker/core/policy/model.ts"
import { isPlainMap, memberOf } from "../../broker/core/policy/plain.ts"
import { templateParts } from "../../broker/core/policy/template.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** One place where a grant reads a secret, an item or a folder. */
interface Reading {
  readonly policy: Policy
  readonly grant: Grant
  readonly way: readonly string[]
  readonly locator: string
  readonly isWhole: boolean
}

/**
 * Finds secrets of a store that two environments of one unit can read: one by one, or in an item or folder that is read as a
 * whole. Whatever protects one environment does not protect the secret: a job of the other one reads it as well.
 */
export function* secretsInTwoEnvironments({ set, sources }: Subject): Generator<Warning> {
  const shelves = new Map<string, Reading[]>()
  for (const policy of set.policies) {
    for (const grant of policy.grants.values()) {
      const key = JSON.stringify([policy.issuer, unitOf(policy), grant.connection.name])
      const earlier = shelves.get(key) ?? []
      shelves.set(key, earlier)
      const { environment } = familyOf(set.organisation.issuers.get(policy.issuer)).roles
      for (const reading of readingsOf(policy, grant, environment)) {
        const { way, locator } = reading
        const isKnown = earlier.some((one) => one.locator === locator && environmentOf(one) === environmentOf(reading))
        const first = isKnown ? undefined : earlier.find((one) => isShared(one, reading))
        earlier.push(reading)
        if (first === undefined) continue
        const secret = reading.isWhole && first.locator !== locator ? `${first.locator} in ${locator}` : locator
        const message = `${secret} is also read by the grant ${first.grant.name} ${placeOf(first.policy)} (${first.policy.file}), so a job of either gets the same secret, and what protects one of them does not protect it. Store one secret for each environment.`
        yield warn(
          policy.file,
          sources.keyAt(policy.file, ["grants", grant.name, ...way]),
          "secret_in_two_environments",
          message,
        )
      }
    }
  }
}

const environmentOf = ({ policy }: Reading) => policy.environment

const isShared = (one: Reading, other: Reading): boolean =>
  environmentOf(one) !== environmentOf(other) &&
  (one.locator === other.locator || isPartOf(one, other) || isPartOf(other, one))

/**
 * Whether an item or folder has the secret of a locator. Of a folder, only its own secrets: few stores give those below it, too.
 * A part of a file has what is below it. Fields that a store names after a slash, as 1Password does, are not seen.
 */
function isPartOf({ locator }: Reading, { locator: whole, isWhole }: Reading): boolean {
  if (!isWhole) return false
  if (whole.includes("#")) return locator.startsWith(`${whole.replace(/\/$/, "")}/`)
  if (!whole.endsWith("/")) return locator.startsWith(`${whole}#`)
  return locator.startsWith(whole) && !locator.slice(whole.length).replace(/#.*/s, "").includes("/")
}

/** What a grant reads, as the policy writes it, and where. The job's environment may fill a gap. */
function readingsOf(policy: Policy, grant: Grant, inside: string | undefined): readonly Reading[] {
  const written = grant.template === undefined ? grant.fields : grant.template.raw
  const read = memberOf(written, "read")
  const entries = isPlainMap(read) ? Object.entries(read).map(([name, entry]) => [["read", name], entry] as const) : []
  return [...entries, [["read_all"], memberOf(written, "read_all")] as const].flatMap(([way, entry]) => {
    const locator = isPlainMap(entry) ? entry["from"] : entry
    const isWhole = way[0] === "read_all"
    return typeof locator === "string" && !isFilledBy(locator, inside) ? [{ policy, grant, way, locator, isWhole }] : []
  })
}

const isFilledBy = (locator: string, claim: string | undefined): boolean =>
  templateParts(locator).some((part) => "claim" in part && part.claim === claim)

const unitOf = ({ target, unit }: Policy): string => (target.kind === "unit" ? target.id : unit)

const placeOf = ({ environment }: Policy): string =>
  environment === undefined ? "for jobs without an environment" : `in the environment ${environment}`
