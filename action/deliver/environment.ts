import { isForbiddenFileVariable, isForbiddenVariable } from "../../broker/wire/variables.ts"
import type { Credential } from "../answer.ts"
import { forLog } from "../escape.ts"
import { deliveryRefused } from "../failure.ts"

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/

/**
 * Checks the variables for these credentials and returns them. Sets none.
 * @throws {ActionError} `delivery_refused` for a name that must not be set, a value that a variable cannot hold, two
 *   grants with different values for one variable, or a grant without any variable or login
 */
export function planEnvironment(credentials: readonly Credential[]): ReadonlyMap<string, string> {
  const plan = new Map<string, string>()
  const owners = new Map<string, { readonly grant: string; readonly name: string; readonly value: string }>()
  for (const { grant, values } of credentials) {
    if (!values.some(({ env, logins }) => env !== undefined || logins !== undefined)) {
      throw deliveryRefused(`The grant ${grant} has no environment variable for any of its values.`)
    }
    for (const { name, value, env, file } of values) {
      if (env === undefined) continue
      checkVariable(env, value, file !== undefined, grant)
      // On Windows, AWS_REGION and aws_region are the same variable.
      const owner = owners.get(env.toUpperCase())
      if (owner !== undefined && owner.value !== value) {
        const both = `${grant} (${name}) and ${owner.grant} (${owner.name})`
        throw deliveryRefused(
          `Two grants set the variable ${env} to different values: ${both}. Deliver them as outputs.`,
        )
      }
      owners.set(env.toUpperCase(), { grant, name, value })
      plan.set(env, value)
    }
  }
  return plan
}

/** `isFile`: the value is the path of a file that this action writes, which it chose itself. */
function checkVariable(env: string, value: string, isFile: boolean, grant: string): void {
  if (!NAME.test(env))
    throw deliveryRefused(`The grant ${grant} names "${forLog(env)}", which is not a valid variable name.`)
  if (isFile ? isForbiddenFileVariable(env) : isForbiddenVariable(env)) {
    throw deliveryRefused(`The grant ${grant} names the variable ${env}, which changes how later steps run.`)
  }
  if (value.includes("\0")) {
    throw deliveryRefused(`The value of ${grant} for ${env} contains a NUL character, which a variable cannot hold.`)
  }
}
