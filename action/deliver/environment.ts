import { isForbiddenVariable } from "../../broker/wire/variables.ts"
import type { Credential } from "../answer.ts"
import { forLog } from "../escape.ts"
import { ActionError } from "../failure.ts"

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/

/**
 * The variables that these credentials become, all checked and none set.
 * @throws {ActionError} `delivery_refused` for a name that must not be set, a value that no variable can hold, two
 *   grants that want one variable for different values, or a grant that would not arrive at all
 */
export function planEnvironment(credentials: readonly Credential[]): ReadonlyMap<string, string> {
  const plan = new Map<string, string>()
  const owners = new Map<string, { readonly grant: string; readonly name: string; readonly value: string }>()
  for (const { grant, values } of credentials) {
    if (!values.some(({ env }) => env !== undefined)) {
      throw refused(`The grant ${grant} names no environment variable for any of its values.`)
    }
    for (const { name, value, env } of values) {
      if (env === undefined) continue
      checkVariable(env, value, grant)
      // Windows takes AWS_REGION and aws_region for one variable.
      const owner = owners.get(env.toUpperCase())
      if (owner !== undefined && owner.value !== value) {
        const whose = `${grant} (${name}) and ${owner.grant} (${owner.name})`
        throw refused(`Two grants set the variable ${env} to different values: ${whose}; only outputs keep them apart.`)
      }
      owners.set(env.toUpperCase(), { grant, name, value })
      plan.set(env, value)
    }
  }
  return plan
}

function checkVariable(env: string, value: string, grant: string): void {
  if (!NAME.test(env)) throw refused(`The grant ${grant} names "${forLog(env)}", which is no name of a variable.`)
  if (isForbiddenVariable(env)) {
    throw refused(`The grant ${grant} names the variable ${env}, which changes how later steps run.`)
  }
  if (value.includes("\0")) throw refused(`The value that ${grant} has for ${env} holds a NUL, which no variable can.`)
}

function refused(message: string): ActionError {
  return new ActionError("delivery_refused", message)
}
