import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { deployment, ROLE, SUBJECT, writePolicies } from "../support/acme.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { runAction } from "../support/runner.ts"
import { startSts } from "../support/sts.ts"
import { installGoClients } from "./clients/install.ts"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"

const PROGRAMS = fileURLToPath(new URL("clients/programs/", import.meta.url))
const CREDENTIAL = "aws-deploy"

/**
 * AWS's SDKs read the profile that `deliver: files` wrote: the built action, the real broker, and the strict stand-in of STS.
 * When the session runs out, each SDK starts the action's program and gets a session of a new exchange.
 */
export async function awsProfileCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  // With a blank, which each SDK splits at in its own way.
  const folder = mkdtempSync(join(tmpdir(), "daypass profile-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const goClients = await installGoClients(programs)
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const sts = ends.adopt(await startSts(), (it) => it.close())
  const policies = join(folder, "policies")
  writePolicies(policies, { issuer: github.issuer, sts: sts.url })
  const policy = join(policies, "acme/shop/production.yaml")
  writeFileSync(policy, readFileSync(policy, "utf8").replace("ttl: 15m", "ttl: 1h"))
  const broker = await startNodeBroker({ policies })
  ends.defer(async () => void (await broker.stop()))
  const audiences = ["sts.amazonaws.com"]
  sts.addRole({
    arn: ROLE,
    issuer: broker.url,
    audiences,
    subject: { StringEquals: [SUBJECT] },
    tagSession: true,
  })

  const ci = github.job(deployment("refs/heads/main", "5001"))
  const step = {
    inputs: { broker: broker.url, grants: CREDENTIAL, deliver: "files" },
    idToken: { url: ci.requestUrl, requestToken: ci.requestToken },
    temp: join(folder, "temp"),
  }
  const main = await runAction({ ...step, entry: "main" })
  if (main.exitCode !== 0) throw new Error(`nothing was delivered:\n${main.log}`)

  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    ...main.env,
    ACTIONS_ID_TOKEN_REQUEST_URL: ci.requestUrl,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: ci.requestToken,
  }
  const sdks: Readonly<Record<string, readonly [string, ...string[]]>> = {
    botocore: [join(programs, "python"), join(PROGRAMS, "aws-session.py")],
    "JavaScript's SDK": [process.execPath, join(PROGRAMS, "aws-session.mjs")],
    "Go's SDK": [goClients, "aws-session", "{}"],
  }
  const found = async (sdk: string): Promise<Record<string, unknown>> => {
    const [program, ...args] = sdks[sdk] ?? [""]
    const { output } = await runCommand(program, args, { cwd: folder, env, timeoutMs: 120_000 })
    const told = output.split("\n").findLast((line) => line.startsWith("{")) ?? "{}"
    return (JSON.parse(told) as { session: Record<string, unknown> }).session
  }
  const newest = () => sts.issued.at(-1)?.accessKeyId
  const kept = join(main.outputs["folder"] ?? "", ".renewal", `grant-${CREDENTIAL}`, "kept.json")

  for (const sdk of Object.keys(sdks)) {
    await check(`${sdk} finds the session in the profile, with its region`, async () => {
      const before = sts.issued.length
      assert.deepEqual(await found(sdk), { key: newest(), region: "eu-west-1", expires: true })
      assert.equal(sts.issued.length, before)
    })
    await check(`${sdk} gets a session of a new exchange when the kept one has run out`, async () => {
      const before = sts.issued.length
      writeFileSync(kept, JSON.stringify({ ...JSON.parse(readFileSync(kept, "utf8")), expiresAt: Date.now() }))
      const session = await found(sdk)
      assert.equal(sts.issued.length, before + 1)
      assert.deepEqual(session, { key: newest(), region: "eu-west-1", expires: true })
    })
  }

  const post = await runAction({ ...step, entry: "post", state: main.state })
  await check("the post step ends the step's lease and those of each SDK", () => {
    assert.equal(post.exitCode, 0, post.log)
    assert.equal(post.log.match(/^Cannot revoke aws-deploy\. It expires at /gm)?.length, 4, post.log)
  })
  for (const sdk of Object.keys(sdks)) {
    await check(`${sdk} finds nothing after the post step`, async () => {
      const { refused, key } = await found(sdk)
      assert.ok(typeof refused === "string" || key === null, JSON.stringify({ refused, key }))
    })
  }
  sts.assertClean()
}
