import { join } from "node:path"
import { deployment, REPOSITORY } from "../support/acme.ts"
import { exportTrail } from "../support/export-trail.ts"
import type { Job } from "../support/github.ts"
import type { ActionRun } from "../support/runner.ts"
import { runAction } from "../support/runner.ts"
import { verifyTrail } from "./audit.ts"
import { ADMIN_ROLE, CEILING, OWN_FILE, OWN_POLICY, STAGING_ROLE } from "./policies.ts"
import type { Findings } from "./report.ts"
import { makeThief } from "./thief.ts"
import type { Capture } from "./wiretap.ts"
import type { World } from "./world.ts"

const MAIN = "refs/heads/main"
const FEATURE = "refs/heads/feature/try-it"
const VARIABLES = {
  AWS_ACCESS_KEY_ID: "accessKeyId",
  AWS_SECRET_ACCESS_KEY: "secretAccessKey",
  AWS_SESSION_TOKEN: "sessionToken",
} as const

/** What later steps need of earlier ones. */
export interface Story {
  deployed?: { readonly job: Job; readonly run: ActionRun; readonly capture: Capture }
}

export interface DemoStep {
  readonly name: string
  run(world: World, findings: Findings, story: Story): Promise<void>
}

/** The steps of the demo. Every check reads what really happened. */
export const STEPS: readonly DemoStep[] = [
  { name: "A deployment from main gets AWS credentials, masked", run: credentialsArrive },
  { name: "The same job on a feature branch is denied, and its summary says why", run: featureBranchIsRefused },
  { name: "A grant outside the organisation's ceiling is denied, and the summary names the line", run: ceilingHolds },
  { name: "A policy in the job's own repository gives what is inside the ceiling", run: ownPolicyCounts },
  { name: "The same subject token again is refused", run: replayIsRefused },
  { name: "A token that is stolen without its key is useless", run: stolenTokenOpensNothing },
  { name: "The job ends, and its lease is closed", run: postRevokes },
  { name: "The audit chain verifies, and one changed byte breaks it", run: auditChainHolds },
  { name: "No server saw an unexpected request", run: worldIsClean },
]

async function credentialsArrive(world: World, { check, show, headline }: Findings, story: Story): Promise<void> {
  const job = world.github.job(deployment(MAIN, "1001"))
  const run = await act(world, "main", job)
  show("the action's log", run.log)
  show("the environment of the job's next step, as its log would show it", masked(run))
  check("action/dist/main.js ended with exit code 0", run.exitCode === 0)
  check("STS handed out exactly one set of credentials", world.sts.issued.length === 1)
  const issued = world.sts.issued[0]
  for (const [variable, part] of Object.entries(VARIABLES)) {
    check(
      `${variable} in GITHUB_ENV is the value from STS`,
      run.env[variable] !== undefined && run.env[variable] === issued?.[part],
    )
  }
  const secrets = issued ? [issued.secretAccessKey, issued.sessionToken] : []
  check("the secret values are masked", secrets.length === 2 && secrets.every((secret) => run.masks.includes(secret)))
  const elsewhere = withoutMaskLines(run) + run.stderr + run.summary + run.files.GITHUB_STATE + run.files.GITHUB_OUTPUT
  check(
    "the log, the summary, the state and the outputs do not contain them",
    !secrets.some((secret) => elsewhere.includes(secret)),
  )
  check(
    `the session tags tell AWS the job's repository: ${issued?.tags["repository"]}`,
    issued?.tags["repository"] === REPOSITORY.repository,
  )
  const minutes = issued && Math.round((Date.parse(issued.expiration) - Date.now()) / 60_000)
  headline(`a job on main got a session of ${issued?.roleArn} for ${minutes} minutes, masked in its log`)
  const capture = world.wiretap.captures.at(-1)
  if (capture) story.deployed = { job, run, capture }
}

async function featureBranchIsRefused(world: World, { check, show, headline }: Findings): Promise<void> {
  const before = world.sts.requests.length
  const run = await act(world, "main", world.github.job(deployment(FEATURE, "1002")))
  const summary = asRendered(run.summary)
  show("the job's summary", summary)
  check("the step failed", run.exitCode === 1)
  check("AWS was not asked for anything", world.sts.requests.length === before)
  check("no credentials arrived", !Object.keys(VARIABLES).some((variable) => variable in run.env))
  check(
    `the summary says that the policy requires ${MAIN}, and that the job ran on ${FEATURE}`,
    summary.includes(MAIN) && summary.includes(FEATURE),
  )
  const reason = /ref must be \S+, but is [\w/-]+/.exec(summary)?.[0]
  check("the reason is one sentence", reason !== undefined)
  headline(`the same job on another branch was denied: ${reason}`)
}

async function ceilingHolds(world: World, { check, show }: Findings): Promise<void> {
  const before = world.sts.requests.length
  const run = await act(world, "main", world.github.job(deployment(MAIN, "1004")), { grants: "aws-admin" })
  const summary = asRendered(run.summary)
  show("the job's summary, from the denied grant on", summary.slice(summary.indexOf("#### ")))
  check(
    "the step failed, although a policy allows the grant",
    run.exitCode === 1 && /allow somebody meant well .* yes/.test(summary),
  )
  check("AWS was not asked for anything", world.sts.requests.length === before)
  check(
    `the summary names the boundary's line in daypass.yaml, and says that it requires ${CEILING}`,
    summary.includes(`"shop" (daypass.yaml:10): role must be ${CEILING}, but is ${ADMIN_ROLE}`),
  )
}

async function ownPolicyCounts(world: World, { check, show }: Findings): Promise<void> {
  show(`${OWN_FILE} on the default branch of acme/shop`, OWN_POLICY)
  const staging = (runId: string) => world.github.job({ ...deployment(FEATURE, runId), environment: "staging" })
  const job = staging("1005")
  const run = await act(world, "main", job, { grants: "aws-staging" })
  show("the action's log", run.log)
  check("a job in staging gets its role", run.exitCode === 0 && world.sts.issued.at(-1)?.roleArn === STAGING_ROLE)
  const version = (await trail(world)).at(-1)?.record.policy_version ?? ""
  check(
    `the audit record names the Git tree of the policy: ${version.slice(version.indexOf("+"))}`,
    isTreeOf(world, version),
  )
  await act(world, "post", job, { state: run.state })
  const before = world.sts.requests.length
  const refused = await act(world, "main", staging("1006"), { grants: "aws-admin" })
  check(
    "a grant of the same file outside the ceiling is denied, and AWS is not asked",
    refused.exitCode === 1 &&
      asRendered(refused.summary).includes("daypass.yaml:10") &&
      world.sts.requests.length === before,
  )
  const reads = world.api.requests.filter((line) => line.includes("/git/blobs/")).length
  check(`for all jobs so far, GitHub was asked for the file ${reads === 1 ? "once" : `${reads} times`}`, reads === 1)
}

async function replayIsRefused(world: World, { check }: Findings, { deployed }: Story): Promise<void> {
  if (!deployed) throw new Error("there is no exchange to replay, because the first step failed")
  const before = world.sts.requests.length
  const thief = await makeThief(world.broker.url)
  const attempt = await thief.replay(deployed.capture)
  check(
    `the first job's request, sent again, gets the answer ${describe(attempt)}`,
    attempt.status === 401 && attempt.code === "token_already_used",
  )
  check("AWS was not asked for anything", world.sts.requests.length === before)
}

async function stolenTokenOpensNothing(world: World, { check, headline }: Findings): Promise<void> {
  const job = world.github.job(deployment(MAIN, "1003"))
  world.wiretap.interceptNext()
  const before = world.wiretap.captures.length
  const run = await act(world, "main", job)
  check(
    "a job's request was intercepted, and the job got its credentials with a new token",
    run.exitCode === 0 && world.wiretap.captures.length === before + 2,
  )
  const stolen = world.wiretap.captures[before]
  if (!stolen) throw new Error("there was no request to intercept")
  const asked = world.sts.requests.length
  const thief = await makeThief(world.broker.url)
  const ownKey = await thief.withOwnKey(stolen)
  check(
    `with the thief's own key, the unused token gets the answer ${describe(ownKey)}`,
    ownKey.status === 401 && ownKey.code === "key_mismatch",
  )
  const noKey = await thief.withoutKey(stolen)
  check(`without a key, it gets the answer ${describe(noKey)}`, noKey.status >= 400 && noKey.status < 500)
  check("AWS was not asked for anything", world.sts.requests.length === asked)
  const jobsKey = await thief.replay(stolen)
  const issued = world.sts.issued.at(-1)
  check(
    "with the job's public key, the answer is a JWE",
    jobsKey.status === 200 && jobsKey.body.split(".").length === 5,
  )
  check(
    "the JWE contains no credential in plain text",
    issued !== undefined && !jobsKey.body.includes(issued.secretAccessKey),
  )
  headline(`a stolen token was useless: without its key ${describe(noKey)}, with another key ${describe(ownKey)}`)
  check("the thief cannot decrypt it without the job's private key", !(await thief.opens(jobsKey.body)))
  await act(world, "post", job, { state: run.state })
}

async function postRevokes(world: World, { check, show, headline }: Findings, { deployed }: Story): Promise<void> {
  if (!deployed) throw new Error("there is no lease to close, because the first step failed")
  const lease = deployed.run.outputs["lease"] ?? ""
  const run = await act(world, "post", deployed.job, { state: deployed.run.state })
  show("the post step's log", run.log)
  check("action/dist/post.js ended with exit code 0", run.exitCode === 0)
  check("the leak sweep looked, and found nothing", !run.log.includes("::warning"))
  const events = (await trail(world)).filter(({ record }) => record.lease === lease).map(({ record }) => record.event)
  check(`the ledger closed lease ${lease}: ${events.join(", ")}`, lease !== "" && events.at(-1) === "lease.closed")
  const expires = world.sts.issued[0]?.expiration.slice(0, 16) ?? "unknown"
  check(
    `the log says that the AWS session cannot be revoked and expires at ${expires}`,
    run.log.includes("Cannot revoke aws-deploy.") && run.log.includes(`It expires at ${expires}`),
  )
  headline(`the job ended, and so did its lease. AWS cannot revoke a session: it expires at ${expires}`)
}

async function auditChainHolds(world: World, { check, show, headline }: Findings): Promise<void> {
  const records = await trail(world)
  show(
    "the broker's audit records",
    records
      .map(({ record }) => `${`${record.seq}`.padStart(3)}  ${record.event.padEnd(18)} ${record.reason}`)
      .join("\n"),
  )
  const text = exportTrail({ issuer: world.github.issuer, unit_id: REPOSITORY.repository_id }, records)
  const intact = await verifyTrail(world.folder, "audit.jsonl", text)
  show("daypass audit verify audit.jsonl", intact.output)
  const head = records.at(-1)?.chain ?? ""
  check(
    `the chain of ${records.length} records verifies, up to its head`,
    intact.exitCode === 0 && head !== "" && intact.output.includes(head),
  )
  const denied = records.find(({ record }) => record.event === "exchange.denied" && record.identity?.ref === FEATURE)
  check(`record ${denied?.record.seq} is the denied feature branch`, denied !== undefined)
  // The "a" in the branch's name becomes a "c", as if an attacker wanted to hide the attempt.
  const changed = await verifyTrail(
    world.folder,
    "changed.jsonl",
    text.replace("refs/heads/feature", "refs/heads/fecture"),
  )
  show("daypass audit verify changed.jsonl", changed.output)
  check(
    "a copy with one changed byte in that record does not verify, and the output names the record",
    changed.exitCode === 1 && changed.output.includes(`record ${denied?.record.seq} of`),
  )
  headline(`all ${records.length} records verify. With one changed byte, record ${denied?.record.seq} does not`)
}

async function worldIsClean({ github, api, sts, vendors }: World, { check }: Findings): Promise<void> {
  for (const server of [github, api, sts, ...vendors]) server.assertClean()
  const seen = [github, api, sts].map(({ requests }) => requests.length)
  check(
    `GitHub saw ${seen[0]} requests, its API ${seen[1]} and STS ${seen[2]}, and every one was expected`,
    seen.every((count) => count > 0),
  )
  // One that cannot fail is asked nothing over a network: files that lie beside the policies.
  for (const { name, requests, fail } of vendors)
    check(`${name} saw ${requests.length} requests`, fail === undefined ? requests.length === 0 : requests.length > 0)
}

interface Act {
  readonly grants?: string
  readonly state?: Readonly<Record<string, string>>
}

const act = (world: World, entry: "main" | "post", job: Job, { grants = "aws-deploy", state = {} }: Act = {}) =>
  runAction({
    entry,
    inputs: { broker: world.wiretap.url, audience: world.broker.url, grants },
    idToken: { url: job.requestUrl, requestToken: job.requestToken },
    state,
    temp: tempOf(world, job),
    signal: world.signal,
  })

/** The folder for temporary files of a job: one for all its steps, as on a runner. */
export const tempOf = ({ folder }: World, { claims }: Job): string => join(folder, "runner", String(claims["run_id"]))

const trail = (world: World) => world.broker.auditTrail(world.github.issuer, REPOSITORY.repository_id)

/** Whether a policy version ends with Git's name for the folder of acme/shop's own policies. */
function isTreeOf({ shop }: World, version: string): boolean {
  const root = shop.objects.tree(shop.branches.get("main") ?? "")
  const inside = root?.entries.find(({ path }) => path === ".github")?.sha ?? ""
  const folder = shop.objects.tree(inside)?.entries.find(({ path }) => path === "daypass")?.sha
  return folder !== undefined && version.endsWith(`+${folder}`)
}

/** The summary's text as a browser shows it: the action writes special characters as character references. */
const asRendered = (summary: string) =>
  summary.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))

const masked = ({ env, masks }: ActionRun) =>
  Object.entries(env)
    .map(([name, value]) => `${name}=${masks.includes(value) ? "***" : value}`)
    .join("\n")

const withoutMaskLines = (run: ActionRun) => run.stdout.replace(/^::add-mask::.*$/gm, "")

const describe = ({ status, code }: { readonly status: number; readonly code: string | null }) =>
  `${status} ${code ?? ""}`.trim()
