import { isSet } from "./source.ts"
import { DEFAULT_VARIABLE, fromVariable } from "./variable.ts"

/** Jenkins with the plugin oidc-provider: a credential that a job binds to a variable (plugins.jenkins.io: oidc-provider). */
export const JENKINS = fromVariable({
  name: "jenkins",
  title: "Jenkins",
  isHere: (environment) => isSet(environment, "JENKINS_URL"),
  variable: DEFAULT_VARIABLE,
  change: `Bind the credential \`OpenID Connect id token\` around the command: \`withCredentials([string(credentialsId: "daypass", variable: "${DEFAULT_VARIABLE}")]) { ... }\`.`,
  another: "put each command into its own `withCredentials`",
})
