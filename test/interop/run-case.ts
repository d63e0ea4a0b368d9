import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type AwsStores, startAwsStores } from "../support/aws-stores.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { type ActionRun, runAction } from "../support/runner.ts"
import { type Sts, startSts } from "../support/sts.ts"
import { toolsJob, trustBroker, writeToolsFolder } from "../support/vendor-world.ts"
import { type Clients, installClients, quoted, shellLine, toldIn } from "./clients/command-lines.ts"
import { assertRefused, type Told } from "./clients/vendor.ts"
import type { Check } from "./run.ts"

/** A command sees the end of its first session, and needs another one. */
const SESSION_SECONDS = 8
const ACCOUNT = "111122223333"
/** One grant that a command has alone, and two that it has as profiles. */
const [ALONE, BUILD, DEPLOY] = ["run-alone", "run-build", "run-deploy"]
const SDKS = { boto3: "aws-run.py", "AWS's SDK for JavaScript": "aws-run.mjs", "AWS's SDK for Go": "aws" }

const roleOf = (grant: string) => `arn:aws:iam::${ACCOUNT}:role/${grant}`
const secretOf = (grant: string) => `${grant}/key`

/**
 * AWS's own command line and SDKs as commands of the action's `run`. They find the session by themselves, and get a new one when
 * theirs is over: from a real broker, for a new token of the job. The stand-in for AWS verifies each signature with the session
 * that signed, and takes no session that is over or that STS did not give.
 */
export async function runCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-run-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const clients = await installClients(programs)
  const sts = ends.adopt(await startSts({ endAfterSeconds: SESSION_SECONDS }), (it) => it.close())
  const stores = ends.adopt(await startAwsStores(() => sts.issued), (it) => it.close())
  const values = fillStores(stores)
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const vendor = awsOf(sts)
  const policies = join(folder, "policies")
  writeToolsFolder(policies, github.issuer, [vendor])
  const broker = await startNodeBroker({ policies })
  ends.defer(async () => void (await broker.stop()))
  await trustBroker([vendor], broker.url)

  const step = (runId: string, grants: readonly string[], commands: readonly string[]) => {
    const ci = github.job(toolsJob(runId))
    return runAction({
      entry: "main",
      inputs: { broker: broker.url, grants: grants.join(), run: [...commands, "wait"].join("\n") },
      idToken: { url: ci.requestUrl, requestToken: ci.requestToken },
      temp: join(folder, `temp-${runId}`),
      env: { HOME: folder, AWS_ENDPOINT_URL_SECRETS_MANAGER: stores.url, AWS_MAX_ATTEMPTS: "1" },
    })
  }
  // Most of the time goes into waiting for the end of the first sessions.
  const [one, two] = await Promise.all([
    step("5001", [ALONE], [...sdkCommands(clients, folder, ALONE, {}), cliCommand(clients, folder)]),
    step(
      "5002",
      [BUILD, DEPLOY],
      [
        ...sdkCommands(clients, folder, BUILD, { profile: BUILD }),
        ...sdkCommands(clients, folder, DEPLOY, { profile: DEPLOY }),
        ...sdkCommands(clients, folder, "none", {}),
      ],
    ),
  ])

  for (const [name, run] of [
    ["a session", one],
    ["two profiles", two],
  ] as const)
    await check(`a command with ${name} ends well, and nothing that it prints of a session is in the log`, () => {
      assert.equal(run.exitCode, 0, run.log)
      assert.match(run.log, /printed \*\*\* \*\*\*/)
      assertHidden(run, sts)
    })
  for (const grant of [ALONE, BUILD, DEPLOY])
    for (const sdk of Object.keys(SDKS))
      await checkSdk(check, toldIn(fileOf(folder, grant, sdk)), { sdk, grant, value: values.get(grant) ?? "", sts })
  for (const sdk of Object.keys(SDKS))
    await check(`${sdk} finds no session when a command has two profiles and names none`, () => {
      const told = toldIn(fileOf(folder, "none", sdk))
      for (const read of ["first", "later"]) assertRefused(told, read, /[Cc]redential/)
    })
  await check("AWS's command line reads before and after its first session ends", () => {
    const { first, later } = toldIn(fileOf(folder, ALONE, "cli"))
    assert.deepEqual([first, later], [values.get(ALONE), values.get(ALONE)])
  })
  await check("each new session took a new token of the job, and every lease was revoked", () => {
    const tokens = github.requests.filter((line) => line.startsWith("GET idtoken")).length
    const renewals = (one.stdout + two.stdout).match(/^Renewed run-/gm)?.length ?? 0
    assert.ok(renewals >= 3, `${renewals} renewals`)
    assert.equal(sts.issued.length, 3 + renewals)
    // Two exchanges, the renewals, and a revocation for each lease that was not over yet.
    assert.ok(tokens > 2 + renewals, github.requests.join("\n"))
    assert.deepEqual([one.state["lease"], two.state["lease"]], ["", ""])
  })
  await check("the stand-in for AWS knew all that was asked", () => {
    sts.assertClean()
    stores.assertClean()
  })
}

/** What one SDK told: what it read, with which sessions, and what it was refused. */
async function checkSdk(
  check: Check,
  told: Told,
  { sdk, grant, value, sts }: { sdk: string; grant: string; value: string; sts: Sts },
): Promise<void> {
  const nth = (name: unknown) => sts.issued.findIndex(({ accessKeyId }) => sha256(accessKeyId) === name)
  await check(`${sdk} reads with ${grant}, and with a newer session when its first one is over`, () => {
    const [first, later] = [told["first"], told["later"]] as { read?: string; session?: string }[]
    assert.deepEqual([first?.read, later?.read], [value, value], JSON.stringify(told))
    assert.ok(nth(later?.session) > nth(first?.session) && nth(first?.session) >= 0)
    for (const used of [first, later]) assert.equal(sts.issued[nth(used?.session)]?.roleArn, roleOf(grant))
  })
  await check(`${sdk} is refused what ${grant} may not read, and with a session that is over`, () => {
    assertRefused(told, "foreign", /AccessDeniedException/)
    assertRefused(told, "over", /ExpiredToken/)
  })
}

/** One line of shell for each SDK. */
function sdkCommands(clients: Clients, folder: string, name: string, more: { readonly profile?: string }): string[] {
  const settings = {
    secret: secretOf(name === "none" ? BUILD : name),
    foreign: "others/key",
    sleepSeconds: SESSION_SECONDS,
    ...more,
  }
  // Without a profile, a client would tell of the missing region alone.
  const before = name === "none" ? "AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 " : ""
  return Object.entries(SDKS).map(([sdk, client]) =>
    shellLine(clients, client, settings, { path: fileOf(folder, name, sdk), before }),
  )
}

/** The command line starts anew for each read. */
const cliCommand = ({ programs }: Clients, folder: string) => `(
  PATH=${quoted(programs)}:"$PATH"
  read_secret() { aws secretsmanager get-secret-value --secret-id ${secretOf(ALONE)} --query SecretString --output text 2>&1 | tr -d '\\n'; }
  first=$(read_secret)
  sleep ${SESSION_SECONDS + 1}
  later=$(read_secret)
  printf '{"first":"%s","later":"%s"}' "$first" "$later" > ${quoted(fileOf(folder, ALONE, "cli"))}
) &`

const fileOf = (folder: string, name: string, client: string) => join(folder, `${name} ${client.replace(/\W/g, "-")}`)

function assertHidden(run: ActionRun, { issued }: Sts): void {
  const shown = run.stdout.replaceAll(/^::add-mask::.*$/gm, "") + run.stderr + run.summary
  for (const { accessKeyId, secretAccessKey, sessionToken } of issued)
    for (const text of [accessKeyId, secretAccessKey, sessionToken]) assert.ok(!shown.includes(text), run.log)
}

/** Each role may read its own secret. Resolves to what they hold, by grant. */
function fillStores(stores: AwsStores): ReadonlyMap<string, string> {
  const values = new Map([ALONE, BUILD, DEPLOY].map((grant) => [grant, randomBytes(24).toString("hex")]))
  for (const [grant, value] of values) {
    const versions = [{ id: "a1b2c3d4-5678-90ab-cdef-1234567890ab", stages: ["AWSCURRENT"], value }]
    stores.addSecret({ name: secretOf(grant), suffix: "AbCd12", versions })
    const resources = [`arn:aws:secretsmanager:*:secret:${secretOf(grant)}*`]
    stores.permit(roleOf(grant), [{ actions: ["secretsmanager:GetSecretValue"], resources }])
  }
  return values
}

const awsOf = (sts: Sts) => ({
  name: "aws",
  connections: { "run-aws": { provider: "aws", region: "eu-west-1", accounts: [ACCOUNT], endpoint: sts.url } },
  grants: Object.fromEntries(
    [ALONE, BUILD, DEPLOY].map((grant) => [grant, { connection: "run-aws", role: roleOf(grant), ttl: "15m" }]),
  ),
  trust({ issuer, subject }: { issuer: string; subject: (grant: string) => string }) {
    for (const grant of [ALONE, BUILD, DEPLOY]) {
      const lets = { issuer, audiences: ["sts.amazonaws.com"], subject: { StringEquals: subject(grant) } }
      sts.addRole({ arn: roleOf(grant), ...lets, tagSession: true })
    }
  },
})

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
