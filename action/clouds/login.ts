import type { Credential } from "../answer.ts"

/**
 * What is delivered of a credential besides the login that tools read from their own file: public values with a variable. Of
 * several logins of one cloud none sets a variable, which would hold for all.
 * @param loginValues the names of the values that make up the login
 */
export function besidesLogin(
  credential: Credential,
  loginValues: ReadonlySet<string>,
  isOneOfSeveral: boolean,
): Credential {
  const values = credential.values.filter(
    ({ name, env }) => !loginValues.has(name) && env !== undefined && !isOneOfSeveral,
  )
  return { ...credential, values }
}
