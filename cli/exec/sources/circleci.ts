import { outputOf, programOfCi } from "./program.ts"
import { isSet, type Source } from "./source.ts"
import { noToken, tokenIn } from "./token-text.ts"
import { variableTokens } from "./variable.ts"

const VARIABLES = ["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"]

/**
 * CircleCI: its program requests tokens for any audience; without the program, the job has one token for the organisation's own
 * audience (circleci.com/docs: OpenID Connect tokens, and with custom claims).
 */
export const CIRCLECI: Source = {
  name: "circleci",
  title: "CircleCI",
  isHere: (environment) => environment["CIRCLECI"] === "true",
  find(environment) {
    const program = programOfCi("circleci", environment)
    if (program !== null) {
      return {
        canChooseAudience: true,
        withheld: VARIABLES,
        async request(aud, timeoutMs) {
          const args = ["run", "oidc", "get", "--claims", JSON.stringify({ aud })]
          const text = await outputOf({ program, args, environment, timeoutMs }, "circleci", CHANGE)
          return tokenIn(text, "the answer of circleci", CHANGE)
        },
      }
    }
    const [variable = ""] = VARIABLES
    if (!isSet(environment, variable)) return null
    return { ...variableTokens(environment, variable, CHANGE), withheld: VARIABLES }
  },
  missing: () => noToken("This job of CircleCI has neither the program circleci nor CIRCLE_OIDC_TOKEN_V2.", CHANGE),
}

const CHANGE =
  "Run the command in a job of CircleCI that may have OIDC tokens: one that uses a context, and no build of a fork unless the project passes secrets to forks."
