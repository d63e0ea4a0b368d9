import { BrokerError } from "../core/errors.ts"
import { UNITS, type UnitKind } from "../core/families/units.ts"
import { BY_DEFAULT, type ReachedLimit } from "../core/policy/limits.ts"

/** The refusal of an exchange for which a limit is reached. The subject token was not used up. */
export function overLimit(reached: ReachedLimit, kind: UnitKind): BrokerError {
  return new BrokerError("quota_exceeded", `${sentence(reached, UNITS[kind].one)} ${setBy(reached)}`, {
    retryAfterSeconds: reached.retryAfterSeconds,
    limit: reached,
  })
}

function setBy({ source, retryAfterSeconds }: ReachedLimit): string {
  const where = source === BY_DEFAULT ? "The limit is the default: no `limits` set it" : `The limit is set in ${source}`
  return `${where}. Try again in ${retryAfterSeconds} s.`
}

function sentence({ name, max, grant }: ReachedLimit, unit: string): string {
  switch (name) {
    case "exchanges_per_minute":
      return `This ${unit} has made its ${max} exchanges of this minute (exchanges_per_minute).`
    case "open_leases":
      return `This ${unit} has ${max} open leases, which is its limit (open_leases). A lease ends with its job.`
    case "max_open_leases":
      return `The grant ${grant} has ${max} open leases, which is its limit (max_open_leases). A lease ends with its job.`
  }
}
