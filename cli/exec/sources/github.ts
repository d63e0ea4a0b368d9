import { requestIdToken } from "../../../action/id-token.ts"
import { noIdTokenEndpoint } from "../../../action/no-id-token.ts"
import { idTokenEndpoint, jobFacts } from "../../../action/runner.ts"
import { isSet, type Source } from "./source.ts"
import { noToken } from "./token-text.ts"

/**
 * GitHub Actions and Forgejo Actions: the runner's endpoint gives tokens (docs.github.com: OpenID Connect reference;
 * forgejo.org: Actions, OpenID Connect).
 */
export const GITHUB: Source = {
  name: "github",
  title: "GitHub or Forgejo Actions",
  isHere: (environment) => environment["GITHUB_ACTIONS"] === "true",
  find() {
    const endpoint = idTokenEndpoint()
    if (endpoint === null) return null
    return {
      canChooseAudience: true,
      withheld: [],
      request: (audience, timeoutMs) => requestIdToken(endpoint, audience, timeoutMs),
    }
  },
  missing: (environment) =>
    isSet(environment, "FORGEJO_ACTIONS")
      ? noToken(
          "This job of Forgejo Actions has no ID token.",
          "Add `enable-openid-connect: true` to the job; Forgejo 15 and Runner 12.5 or newer know it, and a pull request of a fork gets no token.",
        )
      : noIdTokenEndpoint(jobFacts()),
}
