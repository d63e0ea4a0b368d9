import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { runStep, type Step } from "../../../action/review/step.ts"
import { readPolicyFolder } from "../../../broker/adapters/node/read-policy-folder.ts"
import { createHttp } from "../../../broker/adapters/web/http.ts"
import type { CliIo } from "../../../cli/io.ts"
import type { GitFiles } from "../../support/github-api/git.ts"
import type { Pull, PullRequestsApi } from "../../support/github-api/pull-requests.ts"

const ROOT = fileURLToPath(new URL("../../..", import.meta.url))

/** The policies of the example control repository, as a commit has them. */
export const POLICIES: GitFiles = Object.fromEntries(
  readPolicyFolder(join(ROOT, "examples/control-repository/policies")).map(({ path, bytes }) => [
    `policies/${path}`,
    Buffer.from(bytes).toString("utf8"),
  ]),
)

export const SHOP = "policies/acme/shop/production.yaml"
export const SERVICES = "policies/acme/services.yaml"

/** Files with a text of one of them replaced. @throws when the text is not there */
export function edited(files: GitFiles, path: string, from: string, to: string): GitFiles {
  const text = files[path]
  if (typeof text !== "string" || !text.includes(from)) throw new Error(`${path} has no ${from}`)
  return { ...files, [path]: text.replace(from, to) }
}

/** A version tag may deploy the shop, too. */
export const WIDER = edited(POLICIES, SHOP, "ref: refs/heads/main", 'ref: [refs/heads/main, "refs/tags/v*"]')
/** Services deploy with version 2 of the shared workflow alone. */
export const NARROWER = edited(POLICIES, SERVICES, "@refs/tags/v*", "@refs/tags/v2")

export interface Reviewed {
  readonly passes: boolean
  readonly log: readonly string[]
  readonly warnings: readonly string[]
  readonly errors: readonly string[]
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
}

export interface ReviewOf {
  readonly inputs?: Readonly<Record<string, string>>
  readonly eventName?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs the step for a pull request, in this process. */
export async function reviewed(
  api: PullRequestsApi,
  pull: Pull,
  { inputs = {}, eventName, env }: ReviewOf = {},
): Promise<Reviewed> {
  const [log, warnings, errors]: [string[], string[], string[]] = [[], [], []]
  const outputs: Record<string, string> = {}
  let summary = ""
  const given: Readonly<Record<string, string>> = {
    folder: "policies",
    token: inputs["token"] ?? api.token(),
    ...inputs,
  }
  const step: Step = {
    io: {
      env: {
        GITHUB_API_URL: api.url,
        GITHUB_REPOSITORY: "acme/policies",
        GITHUB_EVENT_NAME: eventName ?? "pull_request_target",
        GITHUB_WORKSPACE: "/home/runner/policies",
        ...env,
      },
      cwd: "/home/runner/policies",
      now: () => new Date(),
      http: createHttp({ userAgent: "test" }),
    } as unknown as CliIo,
    input: (name) => given[name] ?? "",
    event: pull.event(api.repository),
    runner: {
      print: (line) => log.push(line),
      warning: (sentence) => warnings.push(sentence),
      error: (sentence) => errors.push(sentence),
      setOutput: (name, value) => {
        outputs[name] = value
      },
      summary: async (markdown) => {
        summary += markdown
      },
    },
  }
  const passes = await runStep(step)
  return { passes, log, warnings, errors, outputs, summary }
}
