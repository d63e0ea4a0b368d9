import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { deployment, ROLE, SUBJECT, writePolicies } from "../support/acme.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { type Job, startGitHub } from "../support/github.ts"
import { startSts } from "../support/sts.ts"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const ACT_TIMEOUT_MS = 120_000

/** The action under `act`, a runner that other people wrote, in host mode: a following step uses the credentials. */
export async function actCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-act-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const sts = ends.adopt(await startSts(), (it) => it.close())
  const policies = join(folder, "policies")
  writePolicies(policies, { issuer: github.issuer, sts: sts.url })
  const broker = await startNodeBroker({ policies })
  ends.defer(async () => void (await broker.stop()))
  sts.addRole({
    arn: ROLE,
    issuer: broker.url,
    audiences: ["sts.amazonaws.com"],
    subject: { StringEquals: SUBJECT },
    tagSession: true,
  })
  const repository = join(folder, "shop")
  await writeRepository(repository, broker.url)

  const good = await runAct(programs, repository, github.job(deployment("refs/heads/main", "3001")))
  const issued = sts.issued[0]

  await check("act runs the job to its end", () => {
    assert.equal(good.exitCode, 0, good.output)
    assert.equal(sts.issued.length, 1)
  })

  await check("a following step has the credentials in its environment", () => {
    const digest = createHash("sha256")
      .update(issued?.secretAccessKey ?? "")
      .digest("hex")
    assert.ok(good.output.includes(`digest ${digest}`), good.output)
  })

  await check("what that step prints of them is masked", () => {
    assert.ok(good.output.includes("printed [***]"), good.output)
    for (const secret of [issued?.secretAccessKey, issued?.sessionToken]) {
      assert.ok(secret !== undefined && !good.output.includes(secret))
    }
  })

  await check("the post step closed the lease with a fresh token", () => {
    const tokens = github.requests.filter((line) => line.startsWith("GET idtoken") && line.endsWith(" 200"))
    assert.equal(tokens.length, 2, github.requests.join("\n"))
    assert.match(good.output, /It expires at /)
  })

  await check("a job on a feature branch fails before the step that needs the credentials", async () => {
    const denied = await runAct(programs, repository, github.job(deployment("refs/heads/feature/x", "3002")))
    assert.notEqual(denied.exitCode, 0)
    assert.ok(!denied.output.includes("digest "), denied.output)
    assert.equal(sts.issued.length, 1)
  })
}

/**
 * A repository that uses the action by a path of its own. Nothing is fetched from anywhere: the checkout is what makes act
 * copy the repository, which it does without the action of that name.
 */
async function writeRepository(repository: string, broker: string): Promise<void> {
  const action = join(repository, ".github/actions/daypass")
  mkdirSync(join(action, "action"), { recursive: true })
  cpSync(join(ROOT, "action.yml"), join(action, "action.yml"))
  cpSync(join(ROOT, "action/dist"), join(action, "action/dist"), { recursive: true })
  mkdirSync(join(repository, ".github/workflows"), { recursive: true })
  writeFileSync(
    join(repository, ".github/workflows/deploy.yml"),
    `on: push
permissions:
  id-token: write
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/actions/daypass
        with:
          broker: ${broker}
          grants: aws-deploy
      - run: |
          echo "digest $(printf %s "$AWS_SECRET_ACCESS_KEY" | sha256sum | cut -d' ' -f1)"
          echo "printed [$AWS_SECRET_ACCESS_KEY]"
          echo "and [$AWS_SESSION_TOKEN]"
`,
  )
  for (const args of [
    ["init", "-q", "-b", "main"],
    ["add", "."],
    ["commit", "-q", "-m", "Deploy"],
  ]) {
    const identity = ["-c", "user.name=Acme", "-c", "user.email=acme@example.com"]
    const { exitCode, output } = await runCommand("git", [...identity, ...args], { cwd: repository, timeoutMs: 30_000 })
    if (exitCode !== 0) throw new Error(`git ${args[0]} failed: ${output}`)
  }
}

async function runAct(programs: string, repository: string, job: Job) {
  const home = join(repository, "../home")
  mkdirSync(home, { recursive: true })
  const variables = Object.entries(job.env).flatMap(([name, value]) => ["--env", `${name}=${value}`])
  const args = [
    "push",
    "-P",
    "ubuntu-latest=-self-hosted",
    "--action-offline-mode",
    "--no-cache-server",
    "--pull=false",
  ]
  return await runCommand(join(programs, "act"), [...args, ...variables], {
    cwd: repository,
    // A home of its own: no settings, no cache and no first-run question of whoever runs this.
    env: {
      PATH: `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
      HOME: home,
      XDG_CACHE_HOME: join(home, "cache"),
      XDG_CONFIG_HOME: join(home, "config"),
    },
    timeoutMs: ACT_TIMEOUT_MS,
  })
}
