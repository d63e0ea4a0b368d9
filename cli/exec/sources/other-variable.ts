import { GITLAB } from "./gitlab.ts"
import { JENKINS } from "./jenkins.ts"
import { isSet } from "./source.ts"
import { DEFAULT_VARIABLE, fromVariable } from "./variable.ts"

/** Any other CI, where the job's own configuration puts a token into the usual variable. */
export const OTHER_VARIABLE = fromVariable({
  name: "variable",
  title: `the variable ${DEFAULT_VARIABLE}`,
  isHere: (environment) =>
    isSet(environment, DEFAULT_VARIABLE) && !GITLAB.isHere(environment) && !JENKINS.isHere(environment),
  variable: DEFAULT_VARIABLE,
  change: `Put the job's ID token into the variable ${DEFAULT_VARIABLE}.`,
})
