import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { forkJob, gitlabJob } from "../support/ci-jobs.ts"
import { actionNode } from "../support/runner.ts"
import { runCli } from "./cli.ts"
import { GITLAB_POLICY, GITLAB_SUBJECT } from "./policies.ts"
import type { Findings } from "./report.ts"
import type { DemoStep } from "./steps.ts"
import type { World } from "./world.ts"

/** A job of GitLab has no action: it has one token, in a variable, and a command line. */
export const GITLAB_STEPS: readonly DemoStep[] = [
  { name: "A job of GitLab gets the role for one command, by daypass exec", run: commandRuns },
  { name: "A fork's merge request is denied there, and daypass explain says why", run: forkIsRefused },
]

/** The exit code of `daypass exec` when the command did not run. */
const NOT_RUN = 125

async function commandRuns(world: World, { check, show }: Findings): Promise<void> {
  show("policies/acme/gitlab-shop.yaml, for a project instead of a repository", GITLAB_POLICY)
  const token = await mint(world, gitlabJob())
  const run = await exec(world, token)
  show("the job's log", run.output)
  const issued = world.sts.issued.at(-1)
  check("the command ran, and had the access key from STS", run.exitCode === 0 && run.saw === issued?.accessKeyId)
  check(
    "its output shows the key as ***",
    run.output.includes("AWS_ACCESS_KEY_ID=***") && !run.output.includes(String(run.saw)),
  )
  check(`AWS trusts ids and no names: ${issued?.subject}`, issued?.subject === GITLAB_SUBJECT)
  const records = await world.broker.auditTrail(world.gitlab.issuer, "42")
  const minted = records.find(({ record }) => record.event === "exchange.minted")?.record.identity
  check(
    `the project has an audit trail of its own: ${minted?.unit_kind} ${minted?.unit} on ${minted?.ref}`,
    minted?.unit_kind === "project" && minted.unit_id === "42",
  )
  const before = world.sts.requests.length
  const again = await exec(world, token)
  check(
    "another program that read the token in the job is told token_already_used",
    again.exitCode === NOT_RUN && again.saw === null && again.output.includes("token_already_used"),
  )
  check("AWS was not asked for anything", world.sts.requests.length === before)
}

async function forkIsRefused(world: World, { check, show }: Findings): Promise<void> {
  const before = world.sts.requests.length
  // By a server before 18.4: nothing but the cause tells it from the project's own job.
  const claims = gitlabJob({ pipeline_source: "merge_request_event", job_project_id: undefined })
  const denied = await exec(world, await mint(world, claims))
  check("the command did not run", denied.exitCode === NOT_RUN && denied.saw === null)
  const fork = await exec(world, await mint(world, forkJob({ environment: "production" })))
  check(
    "nor did that of a newer server, whose token names the fork",
    fork.exitCode === NOT_RUN && fork.saw === null && fork.output.includes("not_allowed"),
  )
  check("AWS was not asked for anything", world.sts.requests.length === before)
  const input = await mint(world, claims)
  const args = ["explain", "--token", "-", "--broker", world.broker.url, "--grants", "aws-gitlab"]
  const { exitCode, output } = await runCli(args, { ...world, env: homeOf(world), input })
  show("daypass explain, from the denied grant on", output.slice(Math.max(0, output.indexOf("aws-gitlab"))))
  check(
    "the explanation says that outsiders can cause such a job, by its pipeline_source",
    exitCode === 1 && /outsiders can cause it/.test(output) && output.includes("merge_request_event"),
  )
}

const mint = ({ gitlab, broker }: World, claims: Parameters<World["gitlab"]["mint"]>[0]) =>
  gitlab.mint(claims, { audience: broker.url })

/** What a job's variables are, besides those of its CI. */
function homeOf({ folder }: World): Readonly<Record<string, string>> {
  const home = join(folder, "gitlab-runner")
  mkdirSync(home, { recursive: true })
  return { HOME: home, TMPDIR: home }
}

/** Runs the command in a job that has this token. `saw` is the key that it had; null when it did not run. */
async function exec(world: World, token: string) {
  const { HOME = "", ...temp } = homeOf(world)
  const seen = join(HOME, "seen")
  rmSync(seen, { force: true })
  const command = `const key = process.env.AWS_ACCESS_KEY_ID
console.log("AWS_ACCESS_KEY_ID=" + key)
require("node:fs").writeFileSync(${JSON.stringify(seen)}, key)`
  const run = await runCli(
    ["exec", "--broker", world.broker.url, "--grants", "aws-gitlab", "--", actionNode(), "-e", command],
    { ...world, env: { HOME, ...temp, GITLAB_CI: "true", DAYPASS_ID_TOKEN: token } },
  )
  return { ...run, saw: existsSync(seen) ? readFileSync(seen, "utf8") : null }
}
