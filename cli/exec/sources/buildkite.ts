import { outputOf, programOfCi } from "./program.ts"
import type { Source } from "./source.ts"
import { noToken, tokenIn } from "./token-text.ts"

const AGENT = "buildkite-agent"
/** Policies name these ids. Buildkite puts them into a token only when they are asked for. */
const CLAIMS = "organization_id,pipeline_id"

/** Buildkite: its agent requests tokens for any audience (buildkite.com/docs/agent/cli/reference/oidc). */
export const BUILDKITE: Source = {
  name: "buildkite",
  title: "Buildkite",
  isHere: (environment) => environment["BUILDKITE"] === "true",
  find(environment) {
    const program = programOfCi(AGENT, environment)
    if (program === null) return null
    return {
      canChooseAudience: true,
      // The agent's own access token stays: the command may upload artifacts with it.
      withheld: [],
      async request(audience, timeoutMs) {
        const args = ["oidc", "request-token", "--audience", audience, "--claim", CLAIMS]
        const text = await outputOf({ program, args, environment, timeoutMs }, AGENT, FAILED)
        return tokenIn(text, `the answer of ${AGENT}`, FAILED)
      },
    }
  },
  missing: () =>
    noToken(
      `This job of Buildkite has no ${AGENT} in its PATH, which requests ID tokens.`,
      `Run the command outside of a container, or mount the agent into it: \`mount-buildkite-agent: true\` of the docker plugin.`,
    ),
}

const FAILED =
  "Read the agent's own message above, and run the job again; an old agent does not know `oidc request-token --claim`."
