import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import { deployment, ROLE, SUBJECT, writePolicies } from "../support/acme.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { runAction } from "../support/runner.ts"
import type { Role } from "../support/sts/trust.ts"
import { startMoto, startMotoSts } from "./moto.ts"
import type { Check } from "./run.ts"

/** The built action and the real broker against moto's STS, behind the verification that moto lacks. */
export async function motoCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-moto-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const github = ends.adopt(await startGitHub(), (it) => it.close())
  const moto = ends.adopt(await startMoto(programs), (it) => it.close())
  let subject = SUBJECT
  let issuer = ""
  const role = (): Role => ({
    arn: ROLE,
    issuer,
    audiences: ["sts.amazonaws.com"],
    subject: { StringEquals: subject },
    tagSession: true,
  })
  const sts = ends.adopt(await startMotoSts(moto.url, role), (it) => it.close())
  writePolicies(folder, { issuer: github.issuer, sts: sts.url })
  const broker = await startNodeBroker({ policies: folder })
  ends.defer(async () => void (await broker.stop()))
  issuer = broker.url

  const job = github.job(deployment("refs/heads/main", "2001"))
  const step = {
    inputs: { broker: broker.url, grants: "aws-deploy" },
    idToken: { url: job.requestUrl, requestToken: job.requestToken },
    temp: join(folder, "temp"),
  }
  const main = await runAction({ ...step, entry: "main" })

  await check("the credentials in the job are those that moto made", () => {
    assert.equal(main.exitCode, 0, main.log)
    const part = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(sts.answers[0] ?? "")?.[1]
    assert.deepEqual(
      [main.env["AWS_ACCESS_KEY_ID"], main.env["AWS_SECRET_ACCESS_KEY"], main.env["AWS_SESSION_TOKEN"]],
      [part("AccessKeyId"), part("SecretAccessKey"), part("SessionToken")],
    )
  })

  await check("moto's GetCallerIdentity takes them for a session of the role", async () => {
    const credentials = {
      accessKeyId: main.env["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: main.env["AWS_SECRET_ACCESS_KEY"] ?? "",
      sessionToken: main.env["AWS_SESSION_TOKEN"] ?? "",
    }
    const client = new STSClient({ region: "eu-west-1", endpoint: moto.url, credentials })
    const { Arn, Account } = await client.send(new GetCallerIdentityCommand({}))
    assert.equal(Account, "111122223333")
    assert.match(Arn ?? "", /^arn:aws:sts::111122223333:assumed-role\/shop-deploy\//)
  })

  await check("the post step closes the lease", async () => {
    const post = await runAction({ ...step, entry: "post", state: main.state })
    assert.equal(post.exitCode, 0, post.log)
    assert.match(post.log, /It expires at /)
    assert.doesNotMatch(post.log, /::warning/)
  })

  await check(
    "botocore in a command of run fetches the session from the action, and no key is in its environment",
    async () => {
      const made = sts.answers.length
      const run = [
        "import botocore.session, os",
        "session = botocore.session.get_session()",
        `print('arn', session.create_client('sts', endpoint_url='${moto.url}').get_caller_identity()['Arn'])`,
        "print('method', session.get_credentials().method, 'keys', [n for n in os.environ if 'ACCESS_KEY' in n])",
      ].join("\n")
      const inputs = { ...step.inputs, run, shell: `${join(programs, "python3")} {0}` }
      const { exitCode, log } = await runAction({ ...step, inputs, entry: "main" })
      assert.equal(exitCode, 0, log)
      assert.match(log, /^arn arn:aws:sts::111122223333:assumed-role\/shop-deploy\//m)
      assert.match(log, /^method container-role keys \[\]$/m)
      assert.equal(sts.answers.length, made + 1)
    },
  )

  await check("a role whose trust names another subject gives the job nothing", async () => {
    subject = `${SUBJECT}-2`
    const made = sts.answers.length
    const denied = await runAction({ ...step, entry: "main" })
    assert.equal(denied.exitCode, 1)
    assert.equal(denied.env["AWS_SECRET_ACCESS_KEY"], undefined)
    assert.equal(sts.answers.length, made)
  })
}
