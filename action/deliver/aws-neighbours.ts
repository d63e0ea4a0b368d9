/** The variable without which AWS's SDKs read no other key variable. */
export const AWS_KEY_VARIABLE = "AWS_ACCESS_KEY_ID"

/** Both names of the session token. botocore reads the older one, `AWS_SECURITY_TOKEN`, first. */
const TOKEN_VARIABLES = ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"]
const PROFILE_VARIABLES = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Adds an empty value for each session token that the job still has from other keys. SDKs would sign with the new key and
 * the old token, and AWS refuses that. A variable cannot be unset for later steps; SDKs take an empty one as absent.
 */
export function blankOldTokens(
  variables: ReadonlyMap<string, string>,
  environment: Environment,
): ReadonlyMap<string, string> {
  if (!variables.has(AWS_KEY_VARIABLE)) return variables
  const old = TOKEN_VARIABLES.filter((name) => !variables.has(name) && isSet(environment[name]))
  return new Map([...variables, ...old.map((name) => [name, ""] as const)])
}

/** A warning when the job selects a profile: some SDKs then take the profile's credentials, and not the delivered keys. */
export function warningOfProfile(environment: Environment): string | null {
  const set = PROFILE_VARIABLES.filter((name) => isSet(environment[name]))
  if (set.length === 0) return null
  return `This job has ${set.join(" and ")}. With it, some AWS SDKs (JavaScript's, for example) use that profile and not the delivered keys. Remove it from the job, or use \`deliver: files\`.`
}

const isSet = (value: string | undefined) => value !== undefined && value !== ""
