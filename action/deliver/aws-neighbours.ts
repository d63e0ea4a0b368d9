import { foreignTokens, PROFILE_VARIABLES } from "../clouds/aws.ts"
import { setIn } from "../clouds/variables.ts"
import { listed } from "../words.ts"

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Adds an empty value for each session token that the job still has from other keys. A variable cannot be unset for later
 * steps; SDKs take an empty one as absent.
 */
export function blankOldTokens(
  variables: ReadonlyMap<string, string>,
  environment: Environment,
): ReadonlyMap<string, string> {
  const old = setIn(environment, foreignTokens(variables))
  return new Map([...variables, ...old.map((name) => [name, ""] as const)])
}

/** A warning when the job selects a profile: some SDKs then take the profile's credentials, and not the delivered keys. */
export function warningOfProfile(environment: Environment): string | null {
  const set = setIn(environment, PROFILE_VARIABLES)
  if (set.length === 0) return null
  return `This job has ${listed(set)}. With it, some AWS SDKs (JavaScript's, for example) use that profile and not the delivered keys. Remove it from the job, or use \`deliver: files\`.`
}
